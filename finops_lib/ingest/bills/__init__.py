"""Bills: what providers and infrastructure charge, one contract for every format and currency.

Tables of the connection that a reading of bills goes through, in the order in which they are made:

=============  ===========================================  =========================================================
table          made by                                      read by
=============  ===========================================  =========================================================
records        reading.records                              the reader's own SQL: raw fields, a row a line
refused        reading.records: what is no record           bills: part of the quarantine
cleaned        values: texts without blanks and NULLs       values
conventions    values: decimal comma, order of dates        values, file by file
numbers        values: cells parsed, what was mended        values
times          values: cells parsed, what was mended        values
typed          values.type_lines                            bills: typed lines, ``mended``, ``fault``
rates          currencies.register_rates                    bills
in_one_money   bills: costs in the reporting currency too   bills: its faults become the quarantine
converted      bills: those lines without a fault           charge_meaning; for invoice details the next step
described      charge_meaning: provider, model, owners      bills
usable         bills: columns of the contract               bills
fresh          bills: lines with their identity             workspace.replace_rows: kept as all lines of the format
refusals       bills: lines set aside, with the reason      workspace.replace_rows: the quarantine
lines          deliveries: lines of all files ever read     deliveries, findings
twins          deliveries: lines that are the same line     deliveries, findings
settled        deliveries: every line with its fate         record: counts, totals; the charges of each month
=============  ===========================================  =========================================================
"""
