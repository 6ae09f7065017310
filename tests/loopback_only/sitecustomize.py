"""Loaded by every Python that tests start: it cannot reach the resolvers of the machine it runs on.

What knows them is changed when it is imported, and not imported here: what a program does not use, it does not pay for.
"""

import importlib.machinery
import sys
from pathlib import Path
from typing import Any

_KNOWING = ("dns.resolver", "changeover.dns.lookup.system_resolvers")


class _Unconfigured:
    """Finds dns.resolver, with a default resolver that knows no server, and what reads resolv.conf, with no such file.

    It stays in the list: taken out while another thread goes through that, it would make an import fail.
    """

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _KNOWING:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def loaded(module: Any) -> None:
            load(module)
            if name == "dns.resolver":
                module.default_resolver = module.Resolver(configure=False)
            else:
                module.RESOLV_CONF = Path("/nowhere/resolv.conf")

        spec.loader.exec_module = loaded  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Unconfigured)  # type: ignore[arg-type]
