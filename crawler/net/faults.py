"""What goes wrong on the wire, said so that a person understands it."""

from __future__ import annotations

import os
import ssl

import aiohttp
import aiohttp_socks

from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.proxies import proxy_name

# Everything a fetch may raise through no fault of ours. ValueError is not among them: that is a bug, and shows as one.
WIRE_FAULTS = (
    aiohttp.ClientError,
    OSError,
    EOFError,
    aiohttp_socks.ProxyError,
    aiohttp_socks.ProxyConnectionError,
    aiohttp_socks.ProxyTimeoutError,
)


def fetch_error(error: BaseException, host: str, proxy: str) -> FetchError:
    """The FetchError for a fault met while fetching from `host` (through `proxy`, empty for none)."""
    if isinstance(error.__cause__, ssl.SSLError) and not isinstance(error, aiohttp.ClientSSLError):
        error = error.__cause__  # aiohttp keeps only the number of a TLS fault behind a SOCKS proxy
    if isinstance(error, TimeoutError):
        return FetchError(Outcome.TOO_SLOW, f"{host} did not finish its answer in time (network.timeout_seconds).")
    if isinstance(error, aiohttp.InvalidURL):
        return FetchError(Outcome.REFUSED, f"{error} is not a web address.")
    return FetchError(Outcome.FAILED, _proxy_reason(error, proxy) or _reason(error, host))


def _proxy_reason(error: BaseException, proxy: str) -> str:
    match error:
        case aiohttp.ClientHttpProxyError(status=407):
            return f"The proxy {proxy_name(proxy)} wants a user name and password (407)."
        case aiohttp.ClientHttpProxyError():
            return f"The proxy {proxy_name(proxy)} did not open the way: {error.status} {error.message}."
        case aiohttp.ClientProxyConnectionError() | aiohttp_socks.ProxyConnectionError():
            return f"The proxy {proxy_name(proxy)} cannot be reached: {_cause(error)}."
        case aiohttp_socks.ProxyError() | aiohttp_socks.ProxyTimeoutError():
            return f"The proxy {proxy_name(proxy)} did not open the way: {error}."
        case _:
            return ""


def _reason(error: BaseException, host: str) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"The name {host} cannot be found: {_cause(error)}."
        case aiohttp.ClientConnectorCertificateError(certificate_error=fault):
            return f"The certificate of {host} cannot be trusted: {_certificate_fault(fault)}."
        case ssl.SSLCertVerificationError():
            return f"The certificate of {host} cannot be trusted: {_certificate_fault(error)}."
        case aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return f"No secure connection to {host} came about: {_cause(error)}."
        case aiohttp.ClientConnectorError():
            return f"{host} cannot be reached: {_cause(error)}."
        case aiohttp.ContentTypeError() | aiohttp.ClientResponseError():
            return f"{host} did not answer in HTTP: {_first_line(error.message)}."
        case aiohttp.ClientPayloadError():
            return f"The answer of {host} is damaged or ended early."
        case aiohttp.ServerDisconnectedError():
            return f"{host} closed the connection before its answer was whole."
        case _:
            return f"The connection to {host} broke off: {_cause(error)}."


def _certificate_fault(error: BaseException) -> str:
    return str(getattr(error, "verify_message", "") or error)


def _cause(error: BaseException) -> str:
    """The innermost cause in the system's words, which name the fault best."""
    inner = getattr(error, "os_error", None) or error
    if isinstance(inner, OSError) and (inner.errno or 0) > 0 and not isinstance(inner, ssl.SSLError):
        return os.strerror(inner.errno or 0)
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return _first_line(str(text))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["unknown"])[0].rstrip(".: ")
