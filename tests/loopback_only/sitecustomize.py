"""Loaded by every Python that tests start: it cannot reach the resolvers of the machine it runs on.

dns.resolver is changed when it is imported, and not imported here: what a program does not use, it does not pay for.
"""

import importlib.machinery
import sys
from typing import Any


class _Unconfigured:
    """Finds dns.resolver, with a default resolver that knows no server.

    It stays in the list: taken out while another thread goes through that, it would make an import fail.
    """

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "dns.resolver":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def loaded(module: Any) -> None:
            load(module)
            module.default_resolver = module.Resolver(configure=False)

        spec.loader.exec_module = loaded  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Unconfigured)  # type: ignore[arg-type]
