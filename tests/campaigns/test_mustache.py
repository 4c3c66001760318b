"""The template language agrees with chevron on everything it accepts, and says where it refuses."""

from __future__ import annotations

import chevron
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.content import mustache
from pulsequill.core.errors import Invalid
from tests.effort import cpu_seconds

NAMES = ["first_name", "city", "unsubscribe_url", "workspace.name", "campaign.name", "Plan2"]
literals = st.text(alphabet=" \t\n\r<>&\"'ax{}é\u00a0", max_size=12).filter(lambda text: "{{" not in text)
spaces = st.sampled_from(["", " ", "  ", "\t", "\n"])
names = st.sampled_from(NAMES)
variables = st.builds(lambda name, left, right: "{{" + left + name + right + "}}", names, spaces, spaces)
raws = st.builds(
    lambda name, pad: "{{{" + pad + name + pad + "}}}", st.sampled_from(["unsubscribe_url", "web_version_url"]), spaces
)
comments = st.builds(lambda text: "{{!" + text.replace("}", "") + "}}", literals)
flat = st.lists(st.one_of(literals, variables, raws, comments), max_size=6).map("".join)
sections = st.builds(
    lambda sigil, name, pad, body: "{{" + sigil + pad + name + "}}" + body + "{{/" + name + pad + "}}",
    st.sampled_from("#^"),
    names,
    spaces,
    flat,
)
templates = st.lists(st.one_of(literals, variables, raws, comments, sections), max_size=10).map("".join)
contexts = st.dictionaries(names, st.text(max_size=8))


def nested(context: dict[str, str]) -> dict[str, object]:
    """Chevron reads `workspace.name` by walking dictionaries; ours is one flat dictionary."""
    data: dict[str, object] = {}
    for name, value in context.items():
        head, _, tail = name.partition(".")
        if tail:
            data.setdefault(head, {})[tail] = value  # type: ignore[index]
        else:
            data[head] = value
    return data


@settings(max_examples=600, deadline=None)
@given(source=templates, context=contexts)
@example(source="a\n  {{#city}}  \n x {{city}}\n {{/city}}\nb", context={"city": "Oslo"})
@example(source="{{! note }}\n\n{{^city}}\n\n{{/city}}\n\n", context={})
@example(source="{{#city}}{{first_name}}{{/city}}\t", context={"city": "", "first_name": "<M&\"'>"})
def test_it_renders_byte_for_byte_what_chevron_renders(source: str, context: dict[str, str]) -> None:
    try:
        mustache.validate(source)
    except Invalid:
        return  # literals next to each other can form what is not allowed; refusals have their own tests
    assert mustache.compile(source).render(context) == chevron.render(source, nested(context), partials_path=None)


#: What the official specification (github.com/mustache/spec) asks of the parts that we allow, in examples of our own:
#: what is asked -> source, values, what is read.
SPECIFICATION: dict[str, tuple[str, dict[str, str], str]] = {
    "single braces are text": ("Use {braces} freely", {}, "Use {braces} freely"),
    "a tag is its value": ("Dear {{name}},\n", {"name": "Maya"}, "Dear Maya,\n"),
    "a value is not read as a template": ("{{a}} {{b}}", {"a": "{{b}}", "b": "tea"}, "{{b}} tea"),
    "values are escaped": ("{{dish}}", {"dish": 'fish & "chips" <hot>'}, "fish &amp; &quot;chips&quot; &lt;hot&gt;"),
    "what is not there is empty": ("for ({{nobody}}) only", {}, "for () only"),
    "blanks around a tag stay": ("> {{name}} <", {"name": "Maya"}, "> Maya <"),
    "a tag alone on its line keeps the line": ("  {{name}}\n", {"name": "Maya"}, "  Maya\n"),
    "blanks inside a tag do not count": ("({{  name\t}})", {"name": "Maya"}, "(Maya)"),
    "a section shows what there is": ("{{#plan}}members{{/plan}} only", {"plan": "gold"}, "members only"),
    "a section hides what there is not": ("all{{#plan}}, members too{{/plan}}", {}, "all"),
    "an empty value hides a section": ("all{{#plan}}, members too{{/plan}}", {"plan": ""}, "all"),
    "a section may come twice": (
        "{{#vip}}\n- early\n{{/vip}}\n- {{city}}\n{{#vip}}\n- late\n{{/vip}}\n",
        {"vip": "yes", "city": "Oslo"}, "- early\n- Oslo\n- late\n",
    ),
    "blanks around a section stay": ("a {{#vip}}\tb\t{{/vip}} c \n", {"vip": "yes"}, "a \tb\t c \n"),
    "blanks inside a section stay": ("a{{#vip}} {{! why }}\n {{/vip}}b\n", {"vip": "yes"}, "a \n b\n"),
    "sections on one line leave its indent": (
        " {{#vip}}one{{/vip}}\n {{#vip}}two{{/vip}}\n", {"vip": "yes"}, " one\n two\n",
    ),
    "lines of a section's ends go": ("top\n{{#vip}}\nmiddle\n{{/vip}}\nend\n", {"vip": "yes"}, "top\nmiddle\nend\n"),
    "and so do indented ones": ("top\n  {{#vip}}\nmiddle\n    {{/vip}}\nend\n", {"vip": "yes"}, "top\nmiddle\nend\n"),
    "with the line ends of Windows": ("top\r\n{{#vip}}\r\n{{/vip}}\r\nend", {"vip": "yes"}, "top\r\nend"),
    "on the first line": ("  {{#vip}}\nfirst{{/vip}}\nend", {"vip": "yes"}, "first\nend"),
    "on the last line": ("top{{#vip}}\nlast\n  {{/vip}}", {"vip": "yes"}, "top\nlast\n"),
    "blanks inside a section's tags do not count": ("({{# vip }}yes{{/ vip }})", {"vip": "yes"}, "(yes)"),
    "an inverted section shows what is missing": ("Hi {{^name}}there{{/name}}", {}, "Hi there"),
    "an inverted section hides else": ("Hi {{name}}{{^name}}there{{/name}}", {"name": "Maya"}, "Hi Maya"),
    "lines of an inverted section's ends go": ("top\n{{^vip}}\nmiddle\n{{/vip}}\nend\n", {}, "top\nmiddle\nend\n"),
    "also on the last line": ("top{{^vip}}\nlast\n  {{/vip}}", {}, "top\nlast\n"),
    "a comment is nothing": ("tea{{! or coffee? }}time", {}, "teatime"),
    "a comment has many lines": ("tea{{!\n or\n coffee?\n}}time\n", {}, "teatime\n"),
    "a comment alone takes its line along": ("top\n{{! or coffee? }}\nend\n", {}, "top\nend\n"),
    "an indented comment too": ("top\n    {{! or coffee? }}\nend\n", {}, "top\nend\n"),
    "a comment on the first line": ("  {{! or coffee? }}\nend", {}, "end"),
    "a comment on the last line": ("top\n  {{! or coffee? }}", {}, "top\n"),
    "a comment of many lines takes them along": ("top\n{{!\nor coffee?\n}}\nend\n", {}, "top\nend\n"),
    "a comment behind words leaves the line": ("  tea {{! or }}\n", {}, "  tea \n"),
    "blanks around a comment stay": ("tea {{! or }} time", {}, "tea  time"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPECIFICATION)
def test_what_is_allowed_behaves_as_the_specification_says(case: str) -> None:
    source, context, rendered = SPECIFICATION[case]
    mustache.validate(source)
    assert mustache.compile(source).render(context) == rendered


@settings(max_examples=300, deadline=None)
@given(source=templates, context=contexts)
def test_unescaped_source_renders_values_as_they_are(source: str, context: dict[str, str]) -> None:
    try:
        mustache.validate(source)
    except Invalid:
        return
    plain = mustache.unescaped(source)
    rendered = mustache.compile(plain).render(context)
    assert rendered == chevron.render(plain, nested(context), partials_path=None)
    harmless = {name: "x" if value else "" for name, value in context.items()}
    assert mustache.compile(plain).render(harmless) == mustache.compile(source).render(harmless)


@given(source=st.text(alphabet="{}#^/!>&= \nab._", max_size=40))
@settings(max_examples=600, deadline=None)
def test_no_source_does_anything_but_compile_or_be_refused(source: str) -> None:
    try:
        tags = mustache.validate(source)
    except Invalid as refusal:
        assert refusal.extra["line"] >= 1
        assert refusal.extra["column"] >= 1
    else:
        assert mustache.compile(source).render({}) == chevron.render(source, {}, partials_path=None)
        assert all("{" not in tag for tag in tags)


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("a\nbc {{first_name", 2, 4, "not closed"),
        ("{{{first_name}}", 1, 1, "not closed by }}}"),
        ("{{{first_name}}}", 1, 1, "unescaped"),
        ("{{> /etc/passwd}}", 1, 1, "Partials"),
        ("x{{=<% %>=}}", 1, 2, "Delimiters"),
        ("{{& first_name}}", 1, 1, "instead of"),
        ("{{first_name.__class__}}", 1, 1, "have a dot"),
        ("{{workspace.__init__}}", 1, 1, "have a dot"),
        ("{{workspace}}", 1, 1, "not the name"),
        ("{{.}}", 1, 1, "have a dot"),
        ("{{}}", 1, 1, "no name"),
        ("{{ }}", 1, 1, "no name"),
        ("{{first_name|there}}", 1, 1, "fallback"),
        ("{{pq_link_0}}", 1, 1, "belong to PulseQuill"),
        ("{{#a}}\n{{#b}}x{{/b}}{{/a}}", 2, 1, "one level"),
        ("{{#a}}x", 1, 1, "not closed"),
        ("{{#a}}x{{/b}}", 1, 8, "does not close"),
        ("x{{/a}}", 1, 2, "not opened"),
        ("{{1st}}", 1, 1, "not the name"),
    ],
)
def test_it_refuses_with_line_and_column(source: str, line: int, column: int, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        mustache.validate(source, field="variants.0.body")
    assert (caught.value.extra["line"], caught.value.extra["column"]) == (line, column)
    assert words in caught.value.detail
    assert caught.value.errors[0].field == "variants.0.body"


def test_text_methods_are_not_reachable_inside_a_section() -> None:
    source = "{{#first_name}}{{title}}{{/first_name}}"
    assert mustache.compile(source).render({"first_name": "Maya", "title": "Dr"}) == "Dr"


def test_fragments_of_the_compiler_are_allowed_only_in_compiled_source() -> None:
    assert mustache.compile('<a href="{{{pq_link_0}}}">').render({"pq_link_0": "/t/c/x&y"}) == '<a href="/t/c/x&y">'


#: As large as a template may be.
LARGE = ("{{first_name}}" + "x" * 110) * 2_000


@pytest.mark.parametrize(
    "bomb",
    [
        "{{#a}}" * 5_000 + "{{/a}}" * 5_000,
        "{{a}}" * 2_001,
        "x" * (256 * 1024 + 1),
        "é" * (128 * 1024 + 1),
        "{{" * 100_000,
        "{{{" * 80_000,
        "{{!" * 80_000,
    ],
)
def test_bombs_are_refused_quickly(bomb: str) -> None:
    def refuse() -> None:
        with pytest.raises(Invalid):
            mustache.validate(bomb)

    assert cpu_seconds(refuse) < 20 * cpu_seconds(lambda: mustache.validate(LARGE))


def test_output_is_capped_before_it_is_built() -> None:
    template = mustache.compile("{{a}}" * 1_000)
    with pytest.raises(Invalid) as caught:
        template.render({"a": "x" * 10_000})
    assert caught.value.code == "template_output_too_large"
    assert len(template.render({"a": '"' * 340})) == 1_000 * 340 * 6


def test_it_tells_which_tags_are_used() -> None:
    assert mustache.validate("{{a}} {{#b}}{{c}}{{/b}} {{! d }} {{{unsubscribe_url}}}") == {
        "a",
        "b",
        "c",
        "unsubscribe_url",
    }
