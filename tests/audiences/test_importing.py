"""The import engine, end to end on a real PostgreSQL."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from audiences import services
from audiences.importing import run, undo
from audiences.importing.run import Overtaken, claim
from audiences.models import (
    Consent,
    Contact,
    ContactField,
    ContactImport,
    ContactImportReject,
    Subscription,
    Suppression,
)
from audiences.tasks import run_import, sweep_imports

#: The module, which the function of the same name hides in its package.
engine = sys.modules["audiences.importing.run"]

pytestmark = pytest.mark.django_db(transaction=True)

FIGURES = ("processed", "created", "updated", "unchanged", "rejected", "suppressed")


def figures(contact_import: ContactImport) -> dict[str, int]:
    contact_import.refresh_from_db()
    return {name: getattr(contact_import, name) for name in FIGURES}


def make_csv(rows: int, start: int = 0) -> str:
    return "email,first_name,plan\n" + "".join(
        f"person{n}@example.com,Name {n},{'pro' if n % 2 else 'free'}\n" for n in range(start, start + rows)
    )


def test_it_creates_contacts_with_names_fields_places_and_consent(upload, newsletter):
    job = upload(
        "E-Mail;Vorname;Nachname;Lieblingssorte;Bestellungen\nana@example.com;Ana;Núñez;Yirgacheffe, light;12\n",
        list_=newsletter,
        mapping={
            "E-Mail": "email",
            "Vorname": "first_name",
            "Nachname": "last_name",
            "Lieblingssorte": "roast",
            "Bestellungen": "orders",
        },
        consent_source="Shop checkout",
    )
    run(job.pk)
    contact = Contact.objects.get()
    assert (contact.email, contact.first_name, contact.last_name) == ("ana@example.com", "Ana", "Núñez")
    assert contact.attributes == {"roast": "Yirgacheffe, light", "orders": 12}
    assert contact.subscriptions.get().status == "active"
    assert Consent.objects.get(contact=contact).source == "Shop checkout"
    assert dict(ContactField.objects.values_list("key", "type")) == {"roast": "text", "orders": "number"}
    job.refresh_from_db()
    assert job.status == "done"
    assert job.total_rows == 1


def test_it_counts_created_updated_and_unchanged_exactly(upload, make_contact):
    make_contact("same@example.com", first_name="Same")
    make_contact("other@example.com", first_name="Old")
    job = upload(
        "email,first_name\nsame@example.com,Same\nOTHER@example.com,New\nnew@example.com,Nia\nsame2@example.com,\n"
    )
    run(job.pk)
    assert figures(job) == {
        "processed": 4, "created": 2, "updated": 1, "unchanged": 1, "rejected": 0, "suppressed": 0,
    }  # fmt: skip
    assert Contact.objects.get(email_normalized="other@example.com").first_name == "New"


def test_running_the_same_file_twice_changes_nothing(upload, newsletter):
    first = upload(make_csv(50), list_=newsletter)
    run(first.pk)
    second = upload(make_csv(50), list_=newsletter)
    run(second.pk)
    assert figures(second)["unchanged"] == 50
    assert Contact.objects.count() == Subscription.objects.count() == 50


def test_an_empty_cell_does_not_empty_what_is_known(upload, make_contact):
    make_contact("ana@example.com", first_name="Ana", last_name="Núñez")
    run(upload("email,first_name,last_name\nana@example.com,,Nunez\n").pk)
    contact = Contact.objects.get()
    assert (contact.first_name, contact.last_name) == ("Ana", "Nunez")


def test_existing_contacts_are_left_alone_when_asked(upload, make_contact):
    make_contact("ana@example.com", first_name="Ana")
    job = upload("email,first_name\nana@example.com,Anna\n", update_existing=False)
    run(job.pk)
    assert figures(job)["unchanged"] == 1
    assert Contact.objects.get().first_name == "Ana"


def test_bad_rows_are_rejected_with_row_number_and_reason_and_good_rows_stay(upload, workspace):
    ContactField.objects.create(workspace=workspace, key="orders", label="Orders", type="number")
    long_name = "x" * 121
    huge = "y" * 140_000
    content = (
        "email,first_name,orders\n"
        "good@example.com,Good,3\n"
        ",No address,1\n"
        "not-an-address,Bad,1\n"
        "good@EXAMPLE.com,Twice,1\n"
        "\n"
        "many@example.com,Many,few\n"
        f"long@example.com,{long_name},1\n"
        "nul@example.com,N\0l,1\n"
        "wide@example.com,Wide,1,2,3\n"
        f"huge@example.com,{huge},1\n"
        f"{'l' * 65}@example.com,Local,1\n"
        "apple@xn--80ak6aa92e.com,Alike,1\n"
        "short@example.com\n"
    )
    job = upload(content, mapping={"email": "email", "first_name": "first_name", "orders": "orders"})
    run(job.pk)
    rejects = ContactImportReject.objects.order_by("row_number").values_list("row_number", "reason")
    assert list(rejects) == [
        (3, "email_missing"),
        (4, "email_invalid"),
        (5, "duplicate"),
        (7, "bad_number"),
        (8, "too_long"),
        (9, "nul"),
        (10, "too_many_cells"),
        (11, "cell_too_long"),
        (12, "email_too_long"),
        (13, "email_lookalike"),
    ]
    assert sorted(Contact.objects.values_list("email", flat=True)) == ["good@example.com", "short@example.com"]
    assert figures(job)["rejected"] == 10
    assert figures(job)["processed"] == 12


def test_text_that_copy_or_json_treats_specially_arrives_unchanged(upload):
    value = "tab\there \\N back\\slash \"quoted\" 'single' {json} \u2028 émoji 🫖"
    cell = value.replace('"', '""')
    run(upload(f'email,note\na@example.com,"{cell}"\nb@example.com,"two\nlines"\n',
               mapping={"email": "email", "note": "note"}).pk)  # fmt: skip
    notes = dict(Contact.objects.values_list("email", "attributes"))
    assert notes["a@example.com"] == {"note": value}
    assert notes["b@example.com"] == {"note": "two\nlines"}


def test_suppression_wins_over_an_import(upload, workspace, newsletter):
    services.suppress_email(workspace=workspace, email="no@example.com", reason="unsubscribe", source="test")
    job = upload("email\nno@example.com\nyes@example.com\n", list_=newsletter)
    run(job.pk)
    places = dict(Subscription.objects.values_list("contact__email", "status"))
    assert places == {"no@example.com": "unsubscribed", "yes@example.com": "active"}
    assert Suppression.objects.filter(email_normalized="no@example.com").exists()
    assert figures(job)["suppressed"] == 1


def test_an_import_cannot_resubscribe_who_left_the_list(upload, newsletter, make_contact):
    contact = make_contact("left@example.com", lists=[newsletter])
    services.unsubscribe(contact_id=contact.pk, source="test", list_ids=[newsletter.pk])
    run(upload("email\nleft@example.com\n", list_=newsletter).pk)
    assert Subscription.objects.get().status == "unsubscribed"


def test_an_erased_person_cannot_be_imported_again(upload, make_contact):
    services.erase_contact(contact=make_contact("gone@example.com"))
    run(upload("email\nGone@example.com\n").pk)
    assert not Contact.objects.exists()
    assert ContactImportReject.objects.get().reason == "erased"


def test_a_run_that_died_goes_on_where_it_stopped_and_counts_nothing_twice(upload, newsletter, monkeypatch):
    monkeypatch.setattr("audiences.importing.rows.FIRST_CHUNK", 10)
    monkeypatch.setattr("audiences.importing.rows.CHUNK", 10)
    job = upload(make_csv(35) + "person3@example.com,again,free\nbad,row,free\n", list_=newsletter)
    stored = []
    real = engine.store

    def die_after_two(contact_import, chunk):
        if len(stored) == 2:
            raise KeyboardInterrupt  # as abrupt as it gets without killing the test
        stored.append(chunk)
        return real(contact_import, chunk)

    monkeypatch.setattr(engine, "store", die_after_two)
    with pytest.raises(KeyboardInterrupt):
        run(job.pk)
    assert figures(job)["processed"] == 20
    assert run(job.pk) is None  # the first run may still live: not before its lease is over
    ContactImport.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    monkeypatch.setattr(engine, "store", real)
    run(job.pk)
    assert figures(job) == {
        "processed": 37, "created": 35, "updated": 0, "unchanged": 0, "rejected": 2, "suppressed": 0,
    }  # fmt: skip
    assert Contact.objects.count() == 35


def test_a_run_that_was_replaced_stores_nothing_more(upload):
    job = upload(make_csv(35))
    believed_dead = claim(job.pk)
    ContactImport.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert claim(job.pk) is not None
    with pytest.raises(Overtaken):
        engine._run(believed_dead)
    assert not Contact.objects.exists()
    assert figures(job)["processed"] == 0


def test_cancelling_stops_within_a_chunk_and_keeps_what_is_stored(upload, monkeypatch):
    monkeypatch.setattr("audiences.importing.rows.FIRST_CHUNK", 10)
    monkeypatch.setattr("audiences.importing.rows.CHUNK", 10)
    job = upload(make_csv(100))
    real = engine._store

    def cancel_after_first(contact_import, chunk):
        is_cancelled = real(contact_import, chunk)
        if chunk.processed == 10:
            services.cancel_import(contact_import=contact_import)
        return is_cancelled

    monkeypatch.setattr(engine, "_store", cancel_after_first)
    run(job.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert Contact.objects.count() == job.processed == 10


def test_an_import_that_waits_is_cancelled_at_once(upload):
    job = upload(make_csv(3))
    services.cancel_import(contact_import=job)
    assert run(job.pk) is None
    assert not Contact.objects.exists()


def test_undo_removes_what_the_import_added_and_keeps_what_was_there(upload, newsletter, make_contact):
    make_contact("old@example.com")
    job = upload("email\nold@example.com\nnew@example.com\nmailed@example.com\nkept@example.com\n", list_=newsletter)
    run(job.pk)
    Contact.objects.filter(email="mailed@example.com").update(last_sent_at=timezone.now())
    other = services.create_list(workspace=job.workspace, name="Other")
    services.add_to_list(list_=other, contact_ids=[Contact.objects.get(email="kept@example.com").pk])
    services.undo_import(contact_import=job)
    undo(job.pk)
    left = set(Contact.objects.values_list("email", flat=True))
    assert left == {"old@example.com", "mailed@example.com", "kept@example.com"}
    assert list(Subscription.objects.values_list("list__name", flat=True)) == ["Other"]
    job.refresh_from_db()
    assert job.status == "undone"


def test_two_imports_of_the_same_addresses_at_once_make_each_contact_once(upload, newsletter):
    lines = make_csv(3000).splitlines()
    reverse = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    jobs = [upload("\n".join(lines) + "\n", list_=newsletter), upload(reverse, list_=newsletter)]
    failures: list[BaseException] = []

    def work(pk) -> None:
        try:
            run(pk)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[job.pk]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Contact.objects.count() == Subscription.objects.count() == 3000
    totals = [figures(job) for job in jobs]
    assert sum(total["created"] for total in totals) == 3000
    assert all(total["created"] + total["unchanged"] == 3000 for total in totals)


def test_a_missing_file_fails_with_a_sentence(upload):
    job = upload(make_csv(3))
    job.file.storage.delete(job.file.name)
    run(job.pk)
    job.refresh_from_db()
    assert (job.status, "file is gone" in job.failure) == ("failed", True)


def test_the_sweep_wakes_dead_and_forgotten_imports_only(upload, monkeypatch):
    woken = []
    monkeypatch.setattr(run_import, "delay", lambda *, import_id: woken.append(import_id))
    dead, waiting, alive, fresh = (upload(make_csv(2, start=n * 10)) for n in range(4))
    long_ago = timezone.now() - timedelta(minutes=5)
    ContactImport.objects.filter(pk=dead.pk).update(status="running", heartbeat_at=long_ago)
    ContactImport.objects.filter(pk=waiting.pk).update(updated_at=long_ago)
    ContactImport.objects.filter(pk=alive.pk).update(status="running", heartbeat_at=timezone.now())
    woken.clear()
    sweep_imports()
    assert set(woken) == {str(dead.pk), str(waiting.pk)}
    assert str(fresh.pk) not in woken


def test_a_hundred_thousand_rows_are_all_there_and_the_staging_table_is_gone(upload, newsletter):
    job = upload(make_csv(100_000), list_=newsletter, consent_source="Shop")
    run(job.pk)
    assert figures(job) == {
        "processed": 100_000, "created": 100_000, "updated": 0, "unchanged": 0, "rejected": 0, "suppressed": 0,
    }  # fmt: skip
    assert Contact.objects.count() == Subscription.objects.filter(status="active").count() == 100_000
    assert (job.finished_at - job.started_at).total_seconds() < 30
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.import_rows')")
        assert cursor.fetchone()[0] is None
