"""axe-core in a page of Playwright: what it finds against WCAG A and AA and its best practices."""

from playwright.sync_api import Page

from tests.stack import ROOT

SCRIPT = ROOT / "eop/frontend/node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
THEMES = ("light", "dark", "contrast")

_RUN = """async (tags) => {
  const found = await axe.run(document, {
    runOnly: { type: "tag", values: tags },
    rules: { "target-size": { enabled: true } }, // new in WCAG 2.2, off unless asked for
    resultTypes: ["violations"],
  });
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id} at ${node.target.join(" ")}: ${node.failureSummary.replaceAll("\\n", " ")}`));
}"""


def problems(page: Page, where: str = "") -> list[str]:
    """What axe finds in the page as it is now, one line each."""
    if not page.evaluate("'axe' in window"):
        assert SCRIPT.is_file(), f"{SCRIPT} is missing: make prepare-test"
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found = page.evaluate(_RUN, list(TAGS))
    return [f"{where or page.url} {line}" for line in found]


def problems_in_every_theme(page: Page, where: str = "") -> list[str]:
    """The same in light, dark and high contrast. The page must ask for less motion."""
    found = []
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        found += problems(page, f"{where or page.url} [{theme}]")
    return found
