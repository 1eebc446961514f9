"""What forms need that anybody may post, without a cookie or an account."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt
from modern_csrf.decorators import csrf_protect  # type: ignore[import-untyped]

View = TypeVar("View", bound=Callable[..., HttpResponse])


def refuse_other_sites(view: View) -> View:
    """Refuse a post from another site by Sec-Fetch-Site or Origin, where neither a cookie nor a token is at hand.

    Django's own check, which wants a cookie, is set aside.
    """
    return cast(View, csrf_exempt(csrf_protect(view)))


def see_other(address: str) -> HttpResponse:
    """303 (RFC 9110, 15.4.4): what was asked is done, and the answer is over there."""
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def network(request: HttpRequest) -> str:
    """The network that a request comes from. Behind a proxy of ours, its word counts: the last address it added."""
    ip = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        ip = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or ip
    return network_of(ip)


def network_of(ip: str) -> str:
    """The network that an address belongs to, which is all that is kept of it: /24 of IPv4, /56 of IPv6.

    "" for what is no address.
    """
    try:
        parsed = ip_address(ip)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, 24 if parsed.version == 4 else 56), strict=False))
