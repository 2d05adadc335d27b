"""An SMTP server for tests, by Debian's python3-aiosmtpd.

usage: smtpd.py TLS CERT KEY [USER PASSWORD]

TLS is starttls, tls or none. It prints its port, and then one JSON object for each mail that it
takes. A recipient named "unknown" is refused, and one named "hang" never answered.
"""
import asyncio, base64, json, logging, ssl, sys, warnings

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown@"):
            return "550 5.1.1 no such user <" + address + ">"
        if address.startswith("hang@"):
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None or TLS == "tls",
            "user": login.get(session.peer, ""), "data": base64.b64encode(envelope.content).decode(),
        }), flush=True)
        return "250 OK"


login = {}
warnings.simplefilter("ignore")
logging.disable()


def authenticate(server, session, envelope, mechanism, data):
    if (data.login.decode(), data.password.decode()) == tuple(sys.argv[4:6]):
        login[session.peer] = data.login.decode()
        return AuthResult(success=True)
    return AuthResult(success=False, message="535 5.7.8 wrong: " + data.password.decode(), handled=False)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    auth = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": TLS == "starttls"} if sys.argv[4:] else {}

    def protocol():
        if TLS == "starttls":
            return SMTP(Handler(), hostname="test", tls_context=context, require_starttls=True, **auth)
        return SMTP(Handler(), hostname="test", **auth)

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if TLS == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


TLS = sys.argv[1]
asyncio.run(main())
