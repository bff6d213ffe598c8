"""The keyboard alone: first the skip link, then every control once in the order of the page, each with a ring that can be seen;
after something went wrong the summary has the focus; and Enter presses the main button of every form."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from playwright.sync_api import TimeoutError as NotInTime

from tests.gates.page_state import PageState
from tests.gates.viewer import Viewer

MOST_STOPS = 400
MS_TO_FOCUS = 2_000
# Numbers every stop in the order of the page: of radio buttons with one name, one, as a browser does.
PREPARE = """() => {
  const controls = "a[href], area[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const groups = new Map();
  const stops = [...document.querySelectorAll(controls)].filter(e => {
    if (e.tabIndex < 0 || e.disabled || !e.checkVisibility({visibilityProperty: true}) || e.closest("[inert]")) return false;
    if (e.type !== "radio") return true;
    const group = `${[...document.forms].indexOf(e.form)} ${e.name}`;
    const chosen = document.querySelector(`form input[type=radio][name="${CSS.escape(e.name)}"]:checked`);
    if (chosen && chosen.form === e.form) return e === chosen;
    if (groups.has(group)) return false;
    return groups.set(group, e);
  });
  window.stops = stops; window.reached = [];
  addEventListener("focusin", ({target}) => window.reached.push([stops.indexOf(target), ring(target), covered(target)]));
  function named(e) {
    const says = (e.textContent || e.value || "").trim().slice(0, 30);
    return e.tagName.toLowerCase() + (e.name ? `[name=${e.name}]` : "") + " " + says;
  }
  function ring(e) {
    const around = [e, ...(e.labels || []), e.parentElement, e.parentElement.parentElement].map(o => getComputedStyle(o));
    return around.some(s => s.outlineStyle === "auto" || s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2);
  }
  function covered(e) {
    const box = e.getBoundingClientRect(), x = box.left + box.width / 2;
    const over = [0.2, 0.5, 0.8].map(part => document.elementFromPoint(x, box.top + box.height * part));
    const other = o => o && o !== e && !e.contains(o) && !o.contains(e) && ![...(e.labels || [])].some(l => l.contains(o));
    const stays = o => o && (["fixed", "sticky"].includes(getComputedStyle(o).position) || stays(o.parentElement));
    return over.every(o => other(o) && stays(o));
  }
  window.named = named;
  // Day, month and year of a date are places of their own, and what a frame shows.
  const parts = stops.filter(e => ["date", "time", "month", "datetime-local"].includes(e.type)).length * 4
    + document.querySelectorAll("iframe").length * 4;
  return stops.length + parts; }"""
RESULT = """() => ({stops: stops.map(named), reached,
  skips: !stops[0] || stops[0].closest("main") !== null
    || stops[0].matches("a[href='#main']") && document.querySelector("#main") !== null,
})"""
# Each form: a field from which Enter sends it, and the main button: the loud one, else the first that can be seen.
FORMS = """() => [...document.forms].map((form, number) => {
  const field = [...form.elements].find(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled &&
    (e.tagName === "INPUT" && !["hidden", "submit", "button", "file"].includes(e.type)) && !e.closest(".vh"));
  const buttons = [...form.querySelectorAll("button:not([type=button]):not([type=reset]), input[type=submit]")];
  const seen = buttons.filter(e => e.checkVisibility({visibilityProperty: true}) && !e.classList.contains("vh"));
  const loud = seen.filter(e => e.matches(".btn:not(.soft):not(.quietly)"));
  const main = loud[0] || seen[0];
  form.noValidate = true;
  if (field) field.dataset.enterHere = number;
  return {field: Boolean(field), loud: loud.length, main: main && main.value ? [main.name, main.value] : null,
    says: main ? main.textContent.trim().slice(0, 30) : "", names: [...new Set(buttons.map(e => e.name).filter(Boolean))]};
})"""


def check(viewer: Viewer, state: PageState) -> Iterator[str]:
    if "autofocus" in state.html:
        yield from _summary_has_focus(viewer, state)
    page = viewer.show(state, 390, as_new=True)
    count = page.evaluate(PREPARE)
    for _ in range(min(count, MOST_STOPS)):
        page.keyboard.press("Tab")
    yield from _of_the_way(state, page.evaluate(RESULT))
    yield from _enter(viewer, state)


def _summary_has_focus(viewer: Viewer, state: PageState) -> Iterator[str]:
    page = viewer.show(state, 390)
    try:
        # A browser gives it with the first picture that it draws, which may be after the page is loaded.
        page.wait_for_function("() => document.activeElement?.matches('[autofocus]')", timeout=MS_TO_FOCUS)
    except NotInTime:
        yield "what went wrong does not have the focus"


def _of_the_way(state: PageState, found: dict[str, Any]) -> Iterator[str]:
    stops: list[str] = found["stops"]
    reached = _once_each(found["reached"], len(stops))
    order = [number for number, _, _ in reached]
    if state.kind in ("page", "demo") and not (found["skips"] and order[:1] in ([], [0])):
        yield "the first Tab does not reach a link that skips to the page"
    yield from _out_of_order(stops, order)
    for number, has_ring, is_covered in reached:
        if not has_ring:
            yield f"the focus cannot be seen on {stops[number]}"
        if is_covered:
            yield f"the focus is covered on {stops[number]}"


def _once_each(reached: Sequence[tuple[int, bool, bool]], most: int) -> list[tuple[int, bool, bool]]:
    """A date has the focus for each of its parts; after the last control the first comes again."""
    return [one for before, one in zip([None, *reached], reached, strict=False) if not before or before[0] != one[0]][:most]


def _out_of_order(stops: Sequence[str], order: Sequence[int]) -> Iterator[str]:
    for expected, number in enumerate(order):
        if number != expected:
            yield f"Tab reaches {stops[number] if number >= 0 else 'something else'} where {stops[expected]} comes next"
            return
    if len(order) < len(stops):
        yield f"Tab does not reach {stops[len(order)]}"


def _enter(viewer: Viewer, state: PageState) -> Iterator[str]:
    """In a field of each form. What is sent is kept from leaving, so the page stays."""
    page = viewer.page
    for number, form in enumerate(page.evaluate(FORMS)):
        if form["loud"] > 1:
            yield f"a form has {form['loud']} loud buttons"
        if not form["field"]:
            continue
        viewer.sent.clear()
        page.locator(f"[data-enter-here='{number}']").focus()
        page.keyboard.press("Enter")
        viewer.wait_until_sent()
        yield from _of_what_was_sent(viewer.sent, form)


def _of_what_was_sent(sent: Sequence[str], form: dict[str, Any]) -> Iterator[str]:
    if not sent:
        yield f"Enter does not send the form of “{form['says']}”"
        return
    pressed = [[name, value] for name, value in parse_qsl(sent[0]) if name in form["names"] and value]
    if pressed != ([form["main"]] if form["main"] else []):
        yield f"Enter presses {pressed or 'another button'} where the main button is “{form['says']}”"
