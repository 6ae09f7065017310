"""What this computer itself keeps of names, and how a browser is sent past it."""

from __future__ import annotations

from msgspec import Struct


class Flush(Struct, frozen=True):
    """A command that empties a cache of names. `rights`: it needs more of them than usual."""

    cache: str
    command: tuple[str, ...]
    rights: str = ""

    @property
    def typed(self) -> str:
        """The command as a person types it who may do it."""
        return " ".join((*self.rights.split(), *self.command))


#: By sys.platform, the caches of a system. Of those that stand together, the first whose program is there is used.
_FLUSHES: dict[str, tuple[tuple[Flush, ...], ...]] = {
    "linux": (
        (
            Flush("systemd-resolved", ("resolvectl", "flush-caches"), "sudo"),
            Flush("systemd-resolved", ("systemd-resolve", "--flush-caches"), "sudo"),
        ),
        (Flush("nscd", ("nscd", "-i", "hosts"), "sudo"),),
    ),
    "darwin": (
        (Flush("the directory service", ("dscacheutil", "-flushcache"), "sudo"),),
        (Flush("mDNSResponder", ("killall", "-HUP", "mDNSResponder"), "sudo"),),
    ),
    "win32": ((Flush("the DNS client", ("ipconfig", "/flushdns")),),),
}


def flushes(platform: str) -> tuple[tuple[Flush, ...], ...]:
    """The caches of names that a system may have; none where nothing is known of it."""
    return _FLUSHES.get(platform, ())


#: Browsers that take rules for names, by the names of their programs.
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "brave-browser",
    "microsoft-edge",
    "msedge",
)


def web_address(scheme: str, hostname: str, port: int, path: str = "/") -> str:
    """The address that a visitor would type; the port only where it is unusual."""
    usual = 443 if scheme == "https" else 80
    return f"{scheme}://{hostname}{'' if port == usual else f':{port}'}{path}"


def curl_arguments(url: str, hostname: str, port: int, address: str, ca_file: str | None = None) -> tuple[str, ...]:
    """curl, sent to `address` for `hostname` whatever the DNS says."""
    where = f"[{address}]" if ":" in address else address
    trust = ("--cacert", ca_file) if ca_file is not None else ()
    return ("curl", "--include", "--resolve", f"{hostname}:{port}:{where}", *trust, url)


def browser_arguments(program: str, url: str, hostname: str, address: str, profile: str) -> tuple[str, ...]:
    """A browser of the Chromium family, sent to an address for `hostname` whatever the DNS says.

    `profile` is a folder of its own: a browser that is open already would take the page without the rule.
    """
    where = f"[{address}]" if ":" in address else address
    return (
        program,
        f"--host-resolver-rules=MAP {hostname} {where}",
        f"--user-data-dir={profile}",
        "--no-first-run",
        "--no-default-browser-check",
        url,
    )
