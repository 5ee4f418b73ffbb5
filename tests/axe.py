"""axe-core in a page of Playwright: what it finds against WCAG A and AA and its best practices."""

from playwright.sync_api import Page

from tests.stack import ROOT

SCRIPT = ROOT / "eop/frontend/node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
THEMES = ("light", "dark", "contrast")

COLOURS = ("color-contrast", "link-in-text-block")  # what another theme can break

# target-size is new in WCAG 2.2, and off unless asked for
_RUN = """async ([type, values]) => {
  const rules = type === "tag" ? { "target-size": { enabled: true } } : {};
  const found = await axe.run(document, {
    runOnly: { type, values }, rules, resultTypes: ["violations"],
  });
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id} at ${node.target.join(" ")}: ${node.failureSummary.replaceAll("\\n", " ")}`));
}"""


def problems(page: Page, where: str, *, only: tuple[str, ...] = ()) -> list[str]:
    """What axe finds in the page as it is now, one line each; by these rules, or by all."""
    if not page.evaluate("'axe' in window"):
        assert SCRIPT.is_file(), f"{SCRIPT} is missing: make prepare-test"
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found = page.evaluate(_RUN, ["rule", list(only)] if only else ["tag", list(TAGS)])
    return [f"{where} {line}" for line in found]


def problems_in_every_theme(page: Page, where: str = "") -> list[str]:
    """All rules in light, those of colours in dark and high contrast, too.

    The page must ask for less motion: colours on their way are nobody's.
    """
    found = []
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        only = () if theme == THEMES[0] else COLOURS
        found += problems(page, f"{where or page.url} [{theme}]", only=only)
    return found
