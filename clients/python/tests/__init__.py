import logging

logging.getLogger("asyncio").setLevel(logging.ERROR)  # unittest's loops warn of what a busy machine makes slow
