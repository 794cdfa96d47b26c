"""Contracts of bills: charges in FOCUS terms, how they are split, and what makes the ledger equal to the invoice."""

from __future__ import annotations

from finops_lib.schema.columns import COST_TYPE, columns

CHARGES = columns(f"""
!charge_id             | VARCHAR | | id of the line: as the bill names it, else a hash of its place in the bill
!invoice_issuer_name   | VARCHAR | | who sends the invoice
!billing_account_id    | VARCHAR | | account that is billed
billing_account_name   | VARCHAR | | its name
!billing_period_start  | TIMESTAMPTZ | UTC | start of the billing period
!billing_period_end    | TIMESTAMPTZ | UTC | end of the billing period, exclusive
!charge_period_start   | TIMESTAMPTZ | UTC | start of what is charged for
!charge_period_end     | TIMESTAMPTZ | UTC | end of what is charged for, exclusive
!charge_category       | VARCHAR | | Usage, Purchase, Tax, Credit, Adjustment
charge_class           | VARCHAR | | Correction, when the line corrects an earlier period
charge_description     | VARCHAR | | what the bill says
charge_frequency       | VARCHAR | | One-Time, Recurring, Usage-Based
service_category       | VARCHAR | | FOCUS service category, e.g. AI and Machine Learning
service_subcategory    | VARCHAR | | FOCUS service subcategory, e.g. Generative AI
service_name           | VARCHAR | | service
service_provider_name  | VARCHAR | | who provides the service
host_provider_name     | VARCHAR | | who hosts it
invoice_id             | VARCHAR | | invoice
invoice_detail_id      | VARCHAR | | line of the invoice
sub_account_id         | VARCHAR | | project or sub-account
sub_account_name       | VARCHAR | | its name
sub_account_type       | VARCHAR | | its kind
resource_id            | VARCHAR | | resource
resource_name          | VARCHAR | | its name
resource_type          | VARCHAR | | its kind
region_id              | VARCHAR | | region
sku_id                 | VARCHAR | | what is sold
sku_price_id           | VARCHAR | | the very price
sku_meter              | VARCHAR | | what is measured
sku_price_details      | VARCHAR | | properties of the SKU, as flat JSON
pricing_category       | VARCHAR | | Standard, Dynamic, Committed, Other
pricing_currency       | VARCHAR | | currency or unit the price is in
pricing_quantity       | DECIMAL(38,15) | pricing_unit | what is priced
pricing_unit           | VARCHAR | | unit of prices, e.g. 1000000 Tokens
consumed_quantity      | DECIMAL(38,15) | consumed_unit | what was consumed
consumed_unit          | VARCHAR | | unit of consumption, e.g. Tokens
list_unit_price        | {COST_TYPE} | billing currency per pricing_unit | list price
contracted_unit_price  | {COST_TYPE} | billing currency per pricing_unit | negotiated price
!billing_currency      | VARCHAR | | currency of the bill (ISO 4217)
!exchange_rate         | DECIMAL(20,10) | reporting currency per billing currency | rate the costs were converted with
exchange_rate_source   | VARCHAR | | where the rate comes from; empty without conversion
billing_currency_list_cost | {COST_TYPE} | billing currency | as on the bill
billing_currency_contracted_cost | {COST_TYPE} | billing currency | as on the bill
billing_currency_effective_cost | {COST_TYPE} | billing currency | as on the bill
!billing_currency_billed_cost | {COST_TYPE} | billing currency | as on the bill
list_cost              | {COST_TYPE} | USD | at list prices
contracted_cost        | {COST_TYPE} | USD | after negotiated rates
effective_cost         | {COST_TYPE} | USD | after all discounts, prepaid cover spread over use
!billed_cost           | {COST_TYPE} | USD | on the invoice
tags                   | VARCHAR | | tags of the line, as flat JSON
provider               | VARCHAR | | model provider the issuer stands for (gen_ai.provider.name); empty for others
model                  | VARCHAR | | model, where the line names it
token_class            | VARCHAR | | token class, where the line tells it
service_tier           | VARCHAR | | standard, batch, flex, priority; where the line tells it
assistant              | VARCHAR | | from the tags: the deployed AI product
workflow               | VARCHAR | | from the tags: use case
team                   | VARCHAR | | from the tags: team that caused the cost
department             | VARCHAR | | department of the team
cost_center            | VARCHAR | | cost center of the team
project_code           | VARCHAR | | from the tags: project
environment            | VARCHAR | | from the tags: production, staging, sandbox …
!source                | VARCHAR | | format it was read from; ledger and true_up for lines made here
!source_file           | VARCHAR | | file it was read from
!source_position       | BIGINT | | line, counted from 1
""")
"""One row is a line of a bill."""

INVOICE_DETAILS = columns(f"""
!invoice_detail_id    | VARCHAR | | line of the invoice
!invoice_id           | VARCHAR | | invoice
!invoice_issuer_name  | VARCHAR | | who sends it
!billing_account_id   | VARCHAR | | account that is billed
!billing_period_start | TIMESTAMPTZ | UTC | start of the billing period
!billing_period_end   | TIMESTAMPTZ | UTC | end of the billing period, exclusive
!charge_category      | VARCHAR | | Usage, Purchase, Tax, Credit, Adjustment
!billing_currency     | VARCHAR | | currency of the invoice (ISO 4217)
!exchange_rate        | DECIMAL(20,10) | reporting currency per billing currency | rate the cost was converted with
!billing_currency_billed_cost | {COST_TYPE} | billing currency | as on the invoice
!billed_cost          | {COST_TYPE} | USD | on the invoice
invoice_detail_description | VARCHAR | | what the invoice says
invoice_issue_status  | VARCHAR | | Open, Issued, Voided
invoice_issue_date    | TIMESTAMPTZ | UTC | day of issue
payment_due_date      | TIMESTAMPTZ | UTC | day it is due
!source               | VARCHAR | | format it was read from
!source_file          | VARCHAR | | file it was read from
!source_position      | BIGINT | | line, counted from 1
""")
"""One row is a line of a FOCUS 1.4 invoice detail file."""

TRUE_UPS = columns(f"""
!true_up_id      | VARCHAR | | id of the correction: the same causes, the same id
!month           | VARCHAR | | billing month YYYY-MM
!provider        | VARCHAR | | model provider (gen_ai.provider.name)
!invoice_issuer_name | VARCHAR | | whose invoice it makes the ledger equal to
invoice_id       | VARCHAR | | invoice
model            | VARCHAR | | model, where the cause is one model's
!residual_class  | VARCHAR | | the named cause of the difference
!billed_cost     | {COST_TYPE} | USD | what is added to the ledger (negative: taken off)
!how_told        | VARCHAR | | how the cause was told
charge_id        | VARCHAR | | the bill line it stands for, where the difference is a line of the bill itself
""")
"""One row is a correction that makes the ledger equal to what finance pays."""

ALLOCATIONS = columns(f"""
!origin_id         | VARCHAR | | charge_id of the charge that is split
!rule              | VARCHAR | | name of the rule; empty rule means no rule matched
!bucket            | VARCHAR | | direct, proportional, overhead
!method_id         | VARCHAR | | documented id and version of the method, e.g. proportional:tokens:v1
receiver           | VARCHAR | | who gets the part; empty: the unallocated remainder
receiver_type      | VARCHAR | | dimension the receiver is a value of, e.g. team
driver             | VARCHAR | | measure the split follows
driver_value       | DOUBLE | as the driver | the receiver's amount of it
ratio              | DOUBLE | share | the receiver's share of the origin
list_cost          | {COST_TYPE} | USD | the receiver's part
contracted_cost    | {COST_TYPE} | USD | the receiver's part
effective_cost     | {COST_TYPE} | USD | the receiver's part
!billed_cost       | {COST_TYPE} | USD | the receiver's part
pricing_quantity   | DECIMAL(38,15) | pricing_unit | the receiver's part
consumed_quantity  | DECIMAL(38,15) | consumed_unit | the receiver's part
note               | VARCHAR | | why a part stays unallocated
""")
"""One row is a receiver's part of a charge; the parts of an origin sum to it."""
