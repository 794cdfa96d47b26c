"""Report: draw, tabulate, explore and record what the stages computed."""

from finops_lib.report.chart import Chart, alt_text, show, use_style
from finops_lib.report.figures_models import plot_cost_per_success, plot_model_mix, plot_token_classes
from finops_lib.report.figures_months import plot_month_on_month
from finops_lib.report.figures_quality import plot_capture_days, plot_coverage, plot_quarantine, plot_rows_read
from finops_lib.report.figures_spend import plot_prompt_composition, plot_spend, plot_spend_matrix
from finops_lib.report.figures_trend import plot_daily_cost, plot_daily_spend, plot_unit_costs
from finops_lib.report.headline import headline_text
from finops_lib.report.sidecar import Sidecar
from finops_lib.report.tables import Label, Table, decision_table
from finops_lib.report.text import count, month_name, share, unit_price, usd
from finops_lib.report.widgets import explore

__all__ = [
    "Chart",
    "Label",
    "Sidecar",
    "Table",
    "alt_text",
    "count",
    "decision_table",
    "explore",
    "headline_text",
    "month_name",
    "plot_capture_days",
    "plot_cost_per_success",
    "plot_coverage",
    "plot_daily_cost",
    "plot_daily_spend",
    "plot_model_mix",
    "plot_month_on_month",
    "plot_prompt_composition",
    "plot_quarantine",
    "plot_rows_read",
    "plot_spend",
    "plot_spend_matrix",
    "plot_token_classes",
    "plot_unit_costs",
    "share",
    "show",
    "unit_price",
    "usd",
    "use_style",
]
