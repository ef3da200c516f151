"""An application over TLS that accepts only callers with a credential, on the Python library.

Usage: tls-application.py KIND ADDRESS CERTIFICATE KEY. Prints the address to stderr.
  certificate  callers present a client certificate that CERTIFICATE has signed
  token        callers send `authorization: Bearer SECRET`
"""

import pathlib
import sys

import grpc

from genkit_sidecar import Application

kind, address, *pem = sys.argv[1:]
certificate, key = (pathlib.Path(path).read_bytes() for path in pem)
application = Application("tls")


@application.flow()
def greet() -> str:
    return "Hello!"


class TokenCheck(grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation, details):
        handler = await continuation(details)
        if ("authorization", "Bearer SECRET") in details.invocation_metadata:
            return handler

        async def refuse(request, context):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing")

        return grpc.unary_unary_rpc_method_handler(refuse)


if kind == "certificate":
    credentials = grpc.ssl_server_credentials([(key, certificate)], certificate, require_client_auth=True)
    application.serve(address, credentials=credentials)
else:
    application.serve(address, credentials=grpc.ssl_server_credentials([(key, certificate)]), interceptors=[TokenCheck()])
