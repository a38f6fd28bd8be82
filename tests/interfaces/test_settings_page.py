"""Settings and audit through Streamlit's own test runner: what applies, who may, who did."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.errors import Forbidden
from optimizer.interfaces import settings_told
from optimizer.interfaces.audit_words import told_entry
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.spreadsheet import people_csv
from optimizer.interfaces.web import login
from optimizer.settings import Account, Exploration, Guardrails
from optimizer.store.protocol import TokenRecord
from optimizer.tables import Actor
from tests.interfaces.conftest import ACCOUNT, OWNER

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"


@pytest.fixture
def shown(store: Path) -> AppTest:
    opened = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    opened.switch_page("web/settings_page.py").run()
    assert not opened.exception
    return opened


def boxes(shown: AppTest) -> str:
    return " ".join(str(box.value) for box in [*shown.success, *shown.warning, *shown.error])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_setting_has_words(language: str) -> None:
    words = Translator(language)
    keys = [key for model in (Account, Guardrails, Exploration) for key in model.model_fields]
    assert [key for key in keys if not words.has_code("setting", key)] == []


def test_settings_say_what_is_stated_and_where(workspace: workflows.Workspace) -> None:
    found = workflows.settings_in_force(workspace, ACCOUNT, OWNER)
    rows = settings_told.setting_rows(Translator("en"), found, "account").set_index("Key")
    assert rows.loc["margin", ["Set to", "From"]].tolist() == ["60%", "the file"]
    assert rows.loc["refund_rate", ["Set to", "From"]].tolist() == ["0%", "default"]
    assert rows.loc["objective", "Set to"] == "profit"
    told = settings_told.setting_rows(Translator("zh"), found, "account").set_index("键")
    assert told.loc["objective", "取值"] == "利润 (profit)"
    assert found.files["account"] == (str(workspace.configs.account_path(ACCOUNT)), True)
    assert found.outdated == ()


def test_file_that_changed_since_the_start_is_told(
    workspace: workflows.Workspace, tmp_path: Path, store: Path
) -> None:
    own = tmp_path / "configs"
    own.mkdir()
    with workflows.open_workspace(store, own) as opened:
        assert workflows.settings_in_force(opened, ACCOUNT, OWNER).outdated == ()
        (own / "guardrails.yaml").write_text("step_limit: 0.1\n", encoding="utf-8")
        assert workflows.settings_in_force(opened, ACCOUNT, OWNER).outdated == ("guardrails",)


def test_locked_keyword_is_listed_and_let_go(workspace: workflows.Workspace, store: Path) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    one = rows[rows["kind"].eq("lower")].iloc[0]
    workflows.lock(workspace, ACCOUNT, (one["id"], int(one["version"])), OWNER)
    (told,) = workflows.locks(workspace, ACCOUNT, OWNER).to_dict("records")
    assert (told["entity_key"], told["keyword_text"]) == (one["entity_key"], one["keyword_text"])
    opened = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    opened.switch_page("web/settings_page.py").run()
    (offered,) = opened.selectbox("unlock_key").options
    assert offered == f"{one['keyword_text']} · {one['campaign_name']} · {one['ad_group_name']}"
    opened.button("unlock").click().run()
    assert "Unlocked" in boxes(opened)
    assert workflows.locks(workspace, ACCOUNT, OWNER).empty


def test_audit_is_filtered_by_person_act_day_and_text() -> None:
    rows = pd.DataFrame(
        {
            "sequence": [1, 2, 3],
            "at": pd.to_datetime(
                ["2026-03-01T15:59:59Z", "2026-03-01T16:00:00Z", "2026-03-02T16:00:00Z"]
            ),
            "actor": ["ann", "bob", "ann"],
            "action": ["approve", "approve", "export"],
            "subject": ["x", "y", "z"],
            "detail": ["{}", '{"bid":1}', "{}"],
        }
    )

    def left(**wish: object) -> list[int]:
        found = settings_told.audit_between(rows, "Asia/Shanghai", **wish)  # type: ignore[arg-type]
        return found["sequence"].tolist()

    assert left() == [3, 2, 1]
    assert left(who="ann") == [3, 1]
    assert left(what="approve") == [2, 1]
    assert left(first=date(2026, 3, 2), last=date(2026, 3, 2)) == [2]  # by the account's midnight
    assert left(text="BID") == [2]


def test_audit_shows_decisions_and_the_chain_is_checked(
    workspace: workflows.Workspace, shown: AppTest
) -> None:
    table = next(each.value for each in shown.dataframe if "Hash" not in each.value.columns
                 and "action" in [name.lower() for name in each.value.columns])  # fmt: skip
    assert len(table) == len(workflows.audit(workspace, OWNER, ACCOUNT))
    assert "administrator" in table["Role"].tolist()
    shown.button("audit_check").click().run()
    assert "chain is whole" in boxes(shown)


TRAIL = {
    "approved": '{"approved_bid":1.1,"from":"proposed","reason":null,"replaced_bid":1.0,'
    '"to":"approved","until":null,"version":1}',
    "rejected": '{"approved_bid":null,"from":"proposed","reason":"<b>season</b>",'
    '"replaced_bid":1.0,"to":"rejected","until":"2026-05-20","version":1}',
    "delivered": '{"batch_id":null,"code":"approved_value_seen","from":"exported",'
    '"seen_state":null,"seen_value":1.1,"text":null,"to":"confirmed_live","version":1}',
    "exported": '{"files":["a.csv"],"rows":37}',
    "locked": '{"slot":"bid"}',
    "solved": '{"as_of":"2026-04-20","rewritten":["a","b"],"suggestions":{"raise":3}}',
}


def test_what_the_trail_says_is_told_in_words() -> None:
    words = Translator("en", "CNY")
    told = {name: told_entry(words, detail) for name, detail in TRAIL.items()}
    assert told["approved"] == "proposed → approved · from 1.00 to 1.10"
    assert told["rejected"] == "proposed → rejected · reason: <b>season</b> · until May 20, 2026"
    assert "confirmed" in told["delivered"]
    assert told["delivered"].count("1.10") == 1
    assert told["exported"] == "37 rows · a.csv"
    assert told["solved"] == "as of Apr 20, 2026 · raise: 3 · 2 suggestions moved"
    chinese = told_entry(Translator("zh", "CNY"), TRAIL["rejected"])
    assert chinese == "待定 → 已拒绝 · 理由：<b>season</b> · 至 2026年5月20日"


def test_no_entry_of_a_real_trail_is_shown_as_json(
    workspace: workflows.Workspace, shown: AppTest
) -> None:
    def details() -> pd.DataFrame:
        return next(each.value for each in shown.dataframe if "On" in each.value.columns)

    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    one = rows[rows["kind"].eq("lower")].iloc[0]
    workflows.reject(workspace, ACCOUNT, [(one["id"], int(one["version"]))], OWNER, "season")
    shown.run()
    table = details()
    assert not table["Detail"].str.contains("{", regex=False).any()
    told = table[table["Action"].eq("rejected")].iloc[0]
    assert told["Detail"].startswith("proposed → rejected · reason: season")
    assert told["On"].startswith(one["keyword_text"])
    shown.toggle("audit_stored").set_value(True).run()
    assert details()["As stored"].str.startswith("{").all()


def test_audit_for_spreadsheets_runs_no_formula() -> None:
    rows = pd.DataFrame({"actor": ["=cmd|' /C calc'!A0"], "detail": ["+1"]})
    read = pd.read_csv(io.StringIO(people_csv(rows)))
    assert read.iloc[0].tolist() == ["'=cmd|' /C calc'!A0", "'+1"]


def test_new_token_is_shown_once_and_revoked(
    shown: AppTest, workspace: workflows.Workspace
) -> None:
    shown.text_input("token_name").set_value("etl")
    next(each for each in shown.button if each.label == "Make a token").click().run()
    (secret,) = [each.value for each in shown.code]
    assert workflows.token_actor(workspace, secret).name == "token etl"
    shown.run()
    assert [each.value for each in shown.code] == []
    shown.button("revoke").click().run()
    with pytest.raises(Forbidden, match="token_not_valid"):
        workflows.token_actor(workspace, secret)


def test_role_is_given_and_taken(shown: AppTest, workspace: workflows.Workspace) -> None:
    shown.text_input("grant_person").set_value("ada@x.org")
    next(each for each in shown.button if each.label == "Give the role").click().run()
    (given,) = workflows.grants(workspace, OWNER)
    assert (given.person, given.account, given.role) == ("ada@x.org", ACCOUNT, "viewer")
    shown.text_input("grant_person").set_value("ada@x.org")
    next(each for each in shown.button if each.label == "Take it away").click().run()
    assert workflows.grants(workspace, OWNER) == []


@pytest.mark.parametrize("label", ["Give the role", "Take it away", "Make a token"])
def test_form_without_a_name_says_what_to_enter(shown: AppTest, label: str) -> None:
    next(each for each in shown.button if each.label == label).click().run()
    assert "first." in boxes(shown)


def test_viewer_sees_settings_and_audit_but_no_rights_nor_paths(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Actor("ada@x.org", None, {ACCOUNT: "viewer"})
    monkeypatch.setattr(login, "visitor", lambda _workspace: viewer)
    opened = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    opened.switch_page("web/settings_page.py").run()
    assert not opened.exception
    assert not opened.error
    names = [each.label for each in opened.tabs]
    assert "Rights and tokens" not in names
    assert [each.key for each in opened.button if each.key == "audit_check"] == []
    assert all("/" not in each.value for each in opened.caption if "edit" in each.value)


@pytest.mark.parametrize(("hours", "said"), [(1, "valid"), (-1, "expired")])
def test_a_token_past_its_end_is_not_called_valid(hours: int, said: str) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    token = TokenRecord("etl", None, "operator", now, "ann", now + timedelta(hours=hours))
    rows = settings_told.token_rows(Translator("en", "CNY"), [token], now)
    assert rows["State"].tolist() == [said]


def test_shares_are_settings_between_nothing_and_all() -> None:
    """A name that was mistyped, or a ratio that may pass one, is not told in per cent."""
    fields = {
        key: field for model in (Account, Guardrails, Exploration)
        for key, field in model.model_fields.items()
    }  # fmt: skip
    assert set(fields) >= settings_told.SHARES
    assert "no_bite_cpc_ratio" not in settings_told.SHARES


def test_lock_on_what_has_no_name_is_told_by_its_key() -> None:
    found = pd.DataFrame(
        {
            "entity_key": ["7", "8"],
            "slots": [["bid"], ["bid"]],
            "campaign_name": ["spring", None],
            "ad_group_name": ["shoes", None],
            "keyword_text": ["red shoes", None],
            "match_type": ["EXACT", None],
        }
    )
    assert settings_told.lock_names(found) == {"7": "red shoes · spring · shoes", "8": "8"}
    rows = settings_told.lock_rows(Translator("en"), found)
    assert rows["Keyword"].tolist() == ["red shoes", "8"]
    assert "EXACT" not in rows["Match type"].tolist()
