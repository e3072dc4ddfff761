"""Scripts, styles and the icon: made once from what is installed, served under hashed names.

Vega comes out of vl-convert, so nothing of a third party is kept in this project and nothing is
loaded from elsewhere. Each asset is compressed once, and may be cached for ever.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files

from followdata.errors import UnknownName
from followdata.present.theme import STEPS, THEMES, css_variables, vega_config
from followdata.store import Store
from followdata.web.bodies import Body

FOR_EVER = "public, max-age=31536000, immutable"
_BUNDLE = "export {vegaEmbed, vega};"


@dataclass(frozen=True)
class Asset:
    """A file as it is served."""

    stem: str
    ending: str
    media_type: str
    content: bytes

    @cached_property
    def name(self) -> str:
        return f"{self.stem}-{hashlib.sha256(self.content).hexdigest()[:12]}.{self.ending}"

    @cached_property
    def body(self) -> Body:
        headers = {"Cache-Control": FOR_EVER}
        return Body(self.content, self.media_type, headers, quality=9)


class Assets:
    """All assets by name, and their addresses as templates use them."""

    def __init__(self, store: Store) -> None:
        static = files("followdata.web") / "static"
        css = css_variables() + (static / "site.css").read_text(encoding="utf-8")
        script = (static / "site.js").read_text(encoding="utf-8")
        themes = {name: vega_config(name) for name in THEMES}
        constants = f"const THEMES={json.dumps(themes)};const STEPS={json.dumps(STEPS)};\n"
        javascript, styles = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
        self._css = Asset("site", "css", styles, css.encode())
        self._js = Asset("site", "js", javascript, (constants + script).encode())
        self._icon = Asset("icon", "svg", "image/svg+xml", (static / "icon.svg").read_bytes())
        self._vega = Asset("vega", "js", javascript, vega_bundle(store))
        own = (self._css, self._js, self._icon, self._vega)
        self._by_name = {asset.name: asset for asset in own}

    @property
    def css(self) -> str:
        return f"/assets/{self._css.name}"

    @property
    def js(self) -> str:
        return f"/assets/{self._js.name}"

    @property
    def icon(self) -> str:
        return f"/assets/{self._icon.name}"

    @property
    def vega(self) -> str:
        return f"/assets/{self._vega.name}"

    def body(self, name: str) -> Body:
        """The asset of that name."""
        if name not in self._by_name:
            raise UnknownName("asset", name)
        return self._by_name[name].body


def vega_bundle(store: Store) -> bytes:
    """Vega, Vega-Lite and Embed as one module; bundled once for each version of vl-convert."""
    made_by = f"{version('vl-convert-python')}-{hashlib.sha256(_BUNDLE.encode()).hexdigest()[:8]}"
    path = store.home / "assets" / f"vega-{made_by}.js"
    if not path.exists():
        import vl_convert

        store.write(path, vl_convert.javascript_bundle(_BUNDLE).encode())
    return path.read_bytes()
