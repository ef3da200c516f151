import logging

logging.getLogger("asyncio").setLevel(logging.ERROR)  # hides warnings about slow callbacks, which occur on busy machines
