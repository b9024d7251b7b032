"""What needs a person: two values for one field, an entry that was not taken, a form that was not finished."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import at_today, check_in, enrol, invite, said, sent, sign_in
from tests.browser.site import DEMO, Site
from tests.browser.wait import until

KIND = "/k/labour.checkin"
NOTE = "说明"


def test_M3_two_notes_written_apart_both_stay_until_someone_picks(site: Site, new_phone: NewPhone) -> None:
    worker, foreman = new_phone("worker"), new_phone("foreman")
    sign_in(worker, "worker")
    sign_in(foreman, "foreman")
    check_in(worker)
    sent(worker)
    (entry,) = site.rows("SELECT r FROM record WHERE c = 'labour.checkin' ORDER BY seq DESC LIMIT 1")[0]
    for phone in (worker, foreman):
        phone.open(f"/r/{entry}")
        expect(phone.button("detail.edit").or_(phone.link("detail.edit"))).to_be_visible()
        phone.installed()
        phone.airplane()
    write_note(worker, entry, "我写的")
    write_note(foreman, entry, "班长写的")
    for phone in (worker, foreman):
        phone.airplane(False)
        sent(phone)

    foreman.open(f"/conflict/labour.checkin/{entry}")
    foreman.sees("我写的")
    foreman.sees("班长写的")
    assert grave(foreman.page) == []
    foreman.page.get_by_role("button", name=f"{foreman.say('conflict.pick')}: 我写的").click()
    foreman.sees(foreman.say("conflict.done"))
    sent(foreman)
    worker.open(f"/r/{entry}")
    worker.sees("我写的")
    worker.sees_no("班长写的")
    worker.sees_no(worker.say("detail.conflict"))


def write_note(phone: Phone, entry: str, text: str) -> None:
    phone.open(f"{KIND}/{entry}/edit")
    phone.page.get_by_label(NOTE).last.fill(text)
    phone.tap("do.save")
    phone.sees(said(phone, "form.saved"))


def test_A6_P3_an_entry_that_is_refused_keeps_its_words_and_can_be_dropped(site: Site, new_phone: NewPhone) -> None:
    name = "冯离场"
    phone = new_phone("leaver")
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), name)
    phone.installed()
    phone.airplane()
    check_in(phone)
    site.gongbu("user", "role", name, "none", "--project", DEMO)
    phone.airplane(False)

    phone.open("/attention")
    phone.sees(phone.say("attention.refused"))
    phone.sees(phone.say("problem.forbidden"))
    phone.sees("上班")
    assert grave(phone.page) == []
    assert site.entries_of(name) == 0
    phone.tap("attention.drop")
    phone.page.get_by_role("dialog").get_by_role("button", name=phone.say("attention.drop"), exact=True).click()
    phone.sees(phone.say("attention.none"))


def test_a_draft_survives_a_killed_browser(new_phone: NewPhone) -> None:
    phone = new_phone("writer")
    sign_in(phone, "foreman")
    phone.settle_in()
    phone.open(f"{KIND}/new")
    phone.page.get_by_label(NOTE).last.fill("写到一半，没电了")
    until(lambda: phone.page.evaluate(DRAFTS_ON_DISK), "the draft is not on disk")
    phone.kill()
    phone.buried()
    phone.open(f"{KIND}/new")
    expect(phone.page.get_by_label(NOTE).last).to_have_value("写到一半，没电了")


# What a killed browser surely leaves behind: the rows of the database, not the journal beside it.
DRAFTS_ON_DISK = """async () => {
  let found = 0;
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((done) => {
      indexedDB.open(name).onsuccess = (event) => done(event.target.result);
    });
    if (database.objectStoreNames.contains('drafts')) {
      found += await new Promise((done) => {
        const asked = database.transaction('drafts').objectStore('drafts').getAll();
        asked.onsuccess = () => done(asked.result.filter((row) => JSON.stringify(row).includes('没电了')).length);
      });
    }
    database.close();
  }
  return found;
}"""


def test_two_tabs_of_one_phone_send_an_entry_once(site: Site, new_phone: NewPhone) -> None:
    name = "两页纸"
    phone = new_phone("tabs", place=None)
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), name)
    phone.settle_in()
    assert phone.context is not None
    second = phone.context.new_page()
    second.goto(site.url)
    site.kill()
    phone.open("/")
    check_in(phone)
    site.start()
    second.goto(f"{site.url}/outbox")
    second.bring_to_front()
    sent(phone)
    assert site.entries_of(name) == 1
    second.close()
    phone.open("/")
    at_today(phone)
