"""Contracts of the tables a company gives beside its calls."""

from __future__ import annotations

from finops_lib.schema.columns import columns

OUTCOMES = columns("""
!date          | DATE | day | day the outcomes are counted for
!assistant     | VARCHAR | | the deployed AI product
workflow       | VARCHAR | | use case
!outcome       | VARCHAR | | what the business counts, e.g. ticket_resolved
!outcome_count | BIGINT | outcomes | how many
outcome_value  | DECIMAL(18,2) | USD | what they are worth together
""")

EVALUATIONS = columns("""
!evaluation_set | VARCHAR | | name of the held-out set
!item_id        | VARCHAR | | item of the set
segment         | VARCHAR | | kind of task
!configuration  | VARCHAR | | what was evaluated: model, prompt, route
!passed         | BOOLEAN | | whether the item passed
cost_usd        | DOUBLE | USD | cost of the call
""")

SEATS = columns("""
!month      | VARCHAR | | YYYY-MM
!product    | VARCHAR | | subscription
team        | VARCHAR | | team it is bought for
!purchased  | BIGINT | seats | licences paid for
active      | BIGINT | seats | licences used in the month
!unit_price | DECIMAL(18,6) | USD per seat | price a month
""")

CAPACITY = columns("""
!timestamp   | TIMESTAMPTZ | UTC | start of the hour or day
!provider    | VARCHAR | | provider
!model       | VARCHAR | | model the capacity serves
!units       | DECIMAL(18,6) | units | provisioned throughput units
!hours       | DECIMAL(18,6) | hours | hours provisioned
!unit_price  | DECIMAL(18,6) | USD per unit-hour | price
used_share   | DOUBLE | share | part of the capacity in use
team         | VARCHAR | | team it was bought for
""")

CUSTOMERS = columns("""
!month    | VARCHAR | | YYYY-MM
!customer | VARCHAR | | customer
!revenue  | DECIMAL(18,2) | USD | revenue of the month
""")

VOLUMES = columns("""
!date      | DATE | day | day
!assistant | VARCHAR | | the deployed AI product
!measure   | VARCHAR | | storage_gb, log_gb, retrieval_calls …
!quantity  | DECIMAL(18,6) | as the measure says | amount
""")
