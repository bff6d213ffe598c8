"""E-mails as bytes, read back by the standard library: what it finds is what was meant, whatever was meant."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mime import Address, NotAnAddress, ascii_if_possible, header, write_mail

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LINES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120) | st.sampled_from([".", "..", "From ", "a ", "\t"])
)
WORDS = st.lists(st.text('abcdefghij-,;:"\\()@.éñ💜=?_', min_size=1, max_size=90), max_size=40).map(" ".join)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def read_back(content: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def bodies(content: bytes) -> list[str]:
    parts = [part for part in read_back(content).iter_parts() if isinstance(part, EmailMessage)]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert all(not part.defects for part in parts)
    return [part.get_content().replace("\r\n", "\n") for part in parts]


def as_one_line(words: str) -> str:
    return CONTROLS.sub(" ", words)


def check_lines(content: bytes) -> None:
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line and b"\0" not in line for line in lines)
    assert max(content) < 128


@settings(deadline=None)
@given(LINES.map("\n".join), LINES.map("\n".join))
def test_both_bodies_come_out_as_they_went_in(text: str, html: str) -> None:
    content = write_mail({"Subject": "News"}, text, html)
    check_lines(content)
    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert bodies(content) == [text, html]


@settings(deadline=None)
@given(ANY)
def test_a_body_of_any_signs_harms_no_line_and_no_other_part(text: str) -> None:
    content = write_mail({"Subject": "News"}, text, "<p>News.</p>")
    check_lines(content)
    assert len(bodies(content)) == 2
    assert bodies(content)[1] == "<p>News.</p>"


@settings(deadline=None)
@given(ANY | WORDS)
def test_a_subject_comes_out_as_it_went_in_and_adds_no_header(subject: str) -> None:
    content = write_mail({"Subject": subject, "Message-ID": "<n@kt.example>"}, "News.", "<p>News.</p>")
    check_lines(content)
    read = read_back(content)
    assert str(read["Subject"]).strip() == as_one_line(subject).strip()
    assert read.keys() == ["Subject", "Message-ID", "MIME-Version", "Content-Type"]
    folded = content.split(b"\r\nMessage-ID")[0].split(b"\r\n")
    assert all(len(line) <= 76 or b" " not in line.strip() for line in folded)


@settings(deadline=None)
@given(ANY | WORDS)
def test_a_name_comes_out_as_it_went_in_beside_its_address(name: str) -> None:
    content = write_mail({"From": Address("table@kt.example", name), "Subject": "News"}, "News.", "<p>News.</p>")
    check_lines(content)
    assert read_back(content).keys() == ["From", "Subject", "MIME-Version", "Content-Type"]
    assert [one.addr_spec for one in read_back(content)["From"].addresses] == ["table@kt.example"]
    # By the older parser: the newer one keeps the spaces between the parts of a long name.
    shown, address = parseaddr(email.message_from_bytes(content)["From"].replace("\r\n", ""))
    assert (str(make_header(decode_header(shown))).strip(), address) == (as_one_line(name).strip(), "table@kt.example")


@pytest.mark.parametrize(
    "address",
    ["", "ana", "ana@example.org\r\nBcc: all@example.org", "ana@example.org\n", "a b@example.org", "<ana@example.org>",
     "ana@example.org> SIZE=1", "ana@example.org,bo@example.org@x", "ana@exa\x00mple.org"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_quoted(address: str) -> None:
    with pytest.raises(NotAnAddress, match=r"^$"):
        Address(address)


def test_a_long_subject_is_folded_between_words_and_stays_readable() -> None:
    subject = "a subject of many words " * 8
    lines = header("Subject", subject.strip()).split("\r\n")
    assert len(lines) > 2
    assert all(len(line) <= 76 for line in lines)
    assert "".join(lines) == f"Subject: {subject.strip()}"


def test_a_short_header_stands_as_it_is() -> None:
    moment = datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert header("Date", email.utils.format_datetime(moment)) == "Date: Mon, 23 Nov 2026 17:00:00 +0000"
    assert header("From", Address("table@kt.example", "Kitchen Table")) == "From: Kitchen Table <table@kt.example>"
    assert header("To", Address("ana@example.org")) == "To: ana@example.org"


def test_a_domain_gets_its_ascii_form_and_a_mailbox_without_one_stays() -> None:
    assert ascii_if_possible("ana@café.example.org") == "ana@xn--caf-dma.example.org"
    assert ascii_if_possible("añá@example.org") == "añá@example.org"
    assert "añá@example.org".encode() in write_mail({"To": Address("añá@example.org")}, "News.", "<p>News.</p>")
