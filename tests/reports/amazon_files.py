"""Amazon's files as its console makes them, small and made up: bulk sheet, reports, unified CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

BULK_NAME = "bulk-a1b2c3-20260901-20260930-1790812800000.xlsx"
SHEET = "Sponsored Products Campaigns"
INFO = " (Informational only)"
COUNTS = (
    *("Impressions", "Clicks", "Click-through Rate", "Spend", "Sales", "Orders", "Units"),
    *("Conversion Rate", "ACOS", "CPC", "ROAS"),
)
BULK_HEADER = (
    *("Product", "Entity", "Operation", "Campaign ID", "Ad Group ID", "Portfolio ID", "Ad ID"),
    *("Keyword ID", "Product Targeting ID", "Campaign Name", "Ad Group Name"),
    *(f"Campaign Name{INFO}", f"Ad Group Name{INFO}", f"Portfolio Name{INFO}", "Start Date"),
    *("End Date", "Targeting Type", "State", f"Campaign State{INFO}", f"Ad Group State{INFO}"),
    *("Daily Budget", "SKU", f"ASIN{INFO}", f"Eligibility Status{INFO}"),
    *(f"Reason for Ineligibility{INFO}", "Ad Group Default Bid", f"Ad Group Default Bid{INFO}"),
    *("Bid", "Keyword Text", "Native Language Keyword", "Native Language Locale", "Match Type"),
    *("Bidding Strategy", "Placement", "Percentage", "Product Targeting Expression"),
    f"Resolved Product Targeting Expression{INFO}",
    *COUNTS,
)
TERM_HEADER = (
    *("Product", "Campaign ID", "Ad Group ID", "Keyword ID", "Product Targeting ID"),
    *(f"Campaign Name{INFO}", f"Ad Group Name{INFO}", f"Portfolio Name{INFO}", "State"),
    *(f"Campaign State{INFO}", "Bid", "Keyword Text", "Match Type"),
    *("Product Targeting Expression", f"Resolved Product Targeting Expression{INFO}"),
    *("Customer Search Term", *COUNTS),
)
_NAMES = ("Currency", "Campaign Name", "Ad Group Name", "Targeting", "Match Type")
_RATES = ("Impressions", "Clicks", "Click-Thru Rate (CTR)", "Cost Per Click (CPC)", "Spend")
_SALES = (
    *("7 Day Total Sales ", "Total Advertising Cost of Sales (ACOS) "),
    *("Total Return on Advertising Spend (ROAS) ", "7 Day Total Orders (#)"),
    *("7 Day Total Units (#)", "7 Day Conversion Rate", "7 Day Advertised SKU Units (#)"),
    *("7 Day Other SKU Units (#)", "7 Day Advertised SKU Sales ", "7 Day Other SKU Sales "),
)
DAILY_HEADER = ("Date", "Portfolio name", *_NAMES, *_RATES, *_SALES)
SUMMARY_HEADER = ("Start Date", "End Date", *DAILY_HEADER[1:])
SEARCH_TERM_HEADER = (
    *SUMMARY_HEADER[:8],
    "Customer Search Term",
    *SUMMARY_HEADER[8:],
)
CAMPAIGNS = {"Mugs Manual": "144382946392851", "Mugs Auto": "144382946392852"}
AD_GROUPS = {"Mugs Manual": ("Exact mugs", "244382946392861"), "Mugs Auto": ("Auto", "0244382946")}


def write_book(
    path: Path, sheets: Mapping[str, tuple[Sequence[str], Sequence[Mapping[str, Any]]]]
) -> Path:
    """A workbook of sheets by name: a header, and rows as cells by header; texts stay texts."""
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        day = book.add_format({"num_format": "mmm dd, yyyy"})
        for name, (header, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, header)
            for line, row in enumerate(rows, start=1):
                for at, column in enumerate(header):
                    style = day if isinstance(row.get(column), datetime) else None
                    if row.get(column) is not None:
                        sheet.write(line, at, row[column], style)
    return path


def counted(clicks: int, cost: float, orders: int, sales: float, impressions: int = 230) -> Any:
    """Cells of one row of a report: sums with the ratios a console adds, empty where it has none."""
    return {
        "Impressions": impressions,
        "Clicks": clicks,
        "Spend": cost,
        "7 Day Total Sales ": sales,
        "7 Day Total Orders (#)": orders,
        "7 Day Total Units (#)": orders,
        "7 Day Advertised SKU Units (#)": orders,
        "7 Day Other SKU Units (#)": 0,
        "7 Day Advertised SKU Sales ": sales,
        "7 Day Other SKU Sales ": 0,
        "Click-Thru Rate (CTR)": clicks / impressions if impressions else None,
        "Cost Per Click (CPC)": round(cost / clicks, 4) if clicks else None,
        "7 Day Conversion Rate": orders / clicks if clicks else None,
        "Total Return on Advertising Spend (ROAS) ": sales / cost if cost else None,
        "Total Advertising Cost of Sales (ACOS) ": cost / sales if sales else None,
    }


def bulk_counts(clicks: int, cost: float, orders: int, sales: float, impressions: int = 230) -> Any:
    """The same for a row of the bulk sheet."""
    return {
        "Impressions": impressions,
        "Clicks": clicks,
        "Spend": cost,
        "Sales": sales,
        "Orders": orders,
        "Units": orders,
        "Click-through Rate": clicks / impressions if impressions else 0,
        "Conversion Rate": orders / clicks if clicks else 0,
        "ACOS": cost / sales if sales else 0,
        "CPC": round(cost / clicks, 4) if clicks else 0,
        "ROAS": round(sales / cost, 4) if cost else 0,
    }


def bulk_row(entity: str, campaign: str = "Mugs Manual", **cells: Any) -> dict[str, Any]:
    """One row of the bulk sheet below its campaign; counts are 0 where not given."""
    group, group_id = AD_GROUPS[campaign]
    below = {} if entity == "Campaign" else {f"Campaign Name{INFO}": campaign}
    if entity not in ("Campaign", "Bidding Adjustment", "Campaign Negative Keyword"):
        below |= {"Ad Group ID": group_id}
        below |= {f"Ad Group Name{INFO}": group} if entity != "Ad Group" else {}
    base = {"Product": "Sponsored Products", "Entity": entity, "State": "enabled"}
    base |= {"Campaign ID": CAMPAIGNS[campaign]}
    return {**base, **below, **bulk_counts(0, 0, 0, 0, impressions=0), **cells}


def campaign_rows(campaign: str, strategy: str, budget: float, bid: float) -> list[dict[str, Any]]:
    """A campaign with its placement row, ad group and ad; their counts repeat those below."""
    group = AD_GROUPS[campaign][0]
    sums = bulk_counts(40, 30.0, 6, 120.0, impressions=900)
    return [
        bulk_row("Campaign", campaign, **{"Campaign Name": campaign, "Daily Budget": budget}
                 | {"Bidding Strategy": strategy, "Start Date": "20260101"} | sums),
        bulk_row("Bidding Adjustment", campaign, Placement="Placement Top", Percentage=25),
        bulk_row("Ad Group", campaign, **{"Ad Group Name": group, "Ad Group Default Bid": bid} | sums),
        bulk_row("Product Ad", campaign, **{"SKU": "MUG-1", f"ASIN{INFO}": "B0MUGMUG01"} | sums),
    ]  # fmt: skip


def keyword(text: str, match: str, number: str, **cells: Any) -> dict[str, Any]:
    """A keyword's row; without a Bid it inherits its ad group's."""
    named = {"Keyword Text": text, "Match Type": match, "Keyword ID": number}
    return bulk_row("Keyword", **named | {f"Ad Group Default Bid{INFO}": 0.75} | cells)


def target(expression: str, number: str, campaign: str = "Mugs Manual", **cells: Any) -> Any:
    """A product target's row."""
    named = {"Product Targeting Expression": expression, "Product Targeting ID": number}
    named |= {f"Resolved Product Targeting Expression{INFO}": expression}
    return bulk_row("Product Targeting", campaign, **named | {"Bid": 0.6} | cells)


def bulk_rows() -> list[dict[str, Any]]:
    """Two campaigns with what their sheet holds: own and inherited bids, targets, negatives."""
    resolved = f"Resolved Product Targeting Expression{INFO}"
    return [
        *campaign_rows("Mugs Manual", "Dynamic bids - down only", 50.0, 0.75),
        keyword("travel mug", "exact", "344382946392871", Bid=1.1, **bulk_counts(20, 15.0, 4, 80.0)),
        keyword("coffee mug", "broad", "344382946392872", **bulk_counts(12, 9.0, 1, 20.0)),
        keyword("+crocs +charms", "broad", "0344382946", Bid=0.4, State="paused"),
        keyword("old mug", "phrase", "344382946392874", Bid=0.5, State="archived"),
        target('asin="B0RIVAL001"', "444382946392881", **bulk_counts(5, 3.0, 1, 20.0)),
        target('category="1234567"', "444382946392882", **{resolved: 'category="Mugs & Cups"'}),
        keyword("broken id", "exact", "3.44383E+14", Bid=1.0),
        bulk_row("Negative Keyword", **{"Keyword Text": "free", "Match Type": "negativePhrase"}),
        bulk_row("Negative Product Targeting",
                 **{"Product Targeting Expression": 'asin="B0NEVER001"'}),
        bulk_row("Campaign Negative Keyword",
                 **{"Keyword Text": "repair", "Match Type": "negativeExact"}),
        *campaign_rows("Mugs Auto", "Dynamic bids - up and down", 20.0, 0.5),
        target("close-match", "444382946392891", "Mugs Auto", **bulk_counts(3, 3.0, 0, 0.0)),
        target("loose-match", "444382946392892", "Mugs Auto"),
        target("substitutes", "444382946392893", "Mugs Auto", State="paused"),
    ]  # fmt: skip


def term_rows() -> list[dict[str, Any]]:
    """The bulk download's sheet of search terms."""
    place = {"Campaign ID": CAMPAIGNS["Mugs Manual"], "Ad Group ID": AD_GROUPS["Mugs Manual"][1]}
    place |= {f"Campaign Name{INFO}": "Mugs Manual", f"Ad Group Name{INFO}": "Exact mugs"}
    expression = {f"Resolved Product Targeting Expression{INFO}": 'asin="B0RIVAL001"'}
    mug = {"Keyword Text": "coffee mug", "Match Type": "broad"}
    return [
        place | mug | {"Customer Search Term": "big coffee mug"} | bulk_counts(7, 5.0, 1, 20.0),
        place | expression | {"Customer Search Term": "b0rival001"} | bulk_counts(5, 3.0, 1, 20.0),
    ]


def bulk_book(folder: Path, name: str = BULK_NAME, rows: Any = None) -> Path:
    """The bulk download: portfolios first, and sheets of other products beside."""
    campaigns = bulk_rows() if rows is None else rows
    return write_book(
        folder / name,
        {
            "Portfolios": (("Product", "Entity", "Portfolio ID"), []),
            SHEET: (BULK_HEADER, campaigns),
            "Sponsored Brands Campaigns": (("Product", "Entity", "Campaign ID"), []),
            "SP Search Term Report": (TERM_HEADER, term_rows()),
        },
    )


def report_row(targeting: str, match: str, counts: Any, campaign: str = "Mugs Manual") -> Any:
    """One row of a targeting or search term report, without its days."""
    return {
        "Portfolio name": "No Portfolio",
        "Currency": "USD",
        "Campaign Name": campaign,
        "Ad Group Name": AD_GROUPS[campaign][0],
        "Targeting": targeting,
        "Match Type": match,
        **counts,
    }


def on(day: date, row: Mapping[str, Any]) -> dict[str, Any]:
    """A daily row."""
    return {"Date": datetime(day.year, day.month, day.day), **row}


def between(first: date, last: date, row: Mapping[str, Any], **cells: Any) -> dict[str, Any]:
    """A row of a summary, whose days are those of its own first and last click."""
    days = {"Start Date": datetime(first.year, first.month, first.day)}
    return days | {"End Date": datetime(last.year, last.month, last.day)} | {**row, **cells}


def targeting_rows() -> list[dict[str, Any]]:
    """Daily rows of the targets above, and of one that the bulk sheet does not list."""
    first, second = date(2026, 9, 1), date(2026, 9, 2)
    late = counted(0, 0, 1, 20.0, impressions=0)
    return [
        on(first, report_row("travel mug", "EXACT", counted(10, 8.0, 2, 40.0))),
        on(second, report_row("travel mug", "EXACT", counted(2, 1.5, 3, 60.0))),
        on(first, report_row("coffee mug", "BROAD", counted(6, 4.5, 1, 20.0))),
        on(second, report_row("coffee mug", "BROAD", late)),
        on(first, report_row("+crocs +charms", "BROAD", counted(1, 0.4, 0, 0.0))),
        on(first, report_row('asin="B0RIVAL001"', "-", counted(5, 3.0, 1, 20.0))),
        on(first, report_row('category="Mugs & Cups"', "-", counted(1, 0.6, 0, 0.0, 0))),
        on(first, report_row("close-match", "-", counted(3, 3.0, 0, 0.0), "Mugs Auto")),
        on(second, report_row("gone mug", "PHRASE", counted(4, 2.0, 0, 0.0))),
    ]


def targeting_book(folder: Path) -> Path:
    """The daily targeting report; its sheet bears the report's name, cut."""
    sheets = {"Sponsored_Products_Targeting_re": (DAILY_HEADER, targeting_rows())}
    return write_book(folder / "Sponsored_Products_Targeting_report.xlsx", sheets)


def search_term_book(folder: Path) -> Path:
    """The search term report, summary, 7-day window."""
    first, last = date(2026, 9, 2), date(2026, 9, 28)
    mug = report_row("coffee mug", "BROAD", counted(7, 5.0, 1, 20.0))
    exact = report_row("coffee mug", "EXACT", counted(1, 0.9, 0, 0.0))
    rival = report_row('asin="B0RIVAL001"', "-", counted(5, 3.0, 6, 120.0))
    term = "Customer Search Term"
    rows = [
        between(first, last, mug, **{term: "big coffee mug"}),
        between(first, first, exact, **{term: "big coffee mug"}),
        between(date(2026, 9, 9), date(2026, 9, 9), rival, **{term: "b0rival001"}),
    ]
    sheets = {"Sponsored_Products_Search_term_": (SEARCH_TERM_HEADER, rows)}
    return write_book(folder / "Sponsored_Products_Search_term_report.xlsx", sheets)
