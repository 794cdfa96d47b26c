"""Reading: files and tables of others become requests, each row placed, counted and kept or quarantined.

Tables and views of the connection that one reading goes through, in the order in which they are made:

==================  ==========================================  =====================================================
table               made by                                     read by
==================  ==========================================  =====================================================
file_times          exports: how young a record can be          normalise, to find times that lie in the future
key_owners          attribution.register_owners                 placing: whose virtual key a call carries
assistant_names     attribution.register_owners                 placing, charge_meaning: names an assistant goes by
assistant_defaults  attribution.register_owners                 placing, charge_meaning: what its calls do not say
team_places         attribution.register_owners                 placing, charge_meaning: department, cost center
records             laid_records, or records                    the reader's own SQL: raw fields, a row a record
refused             records, json_lines: what is no record      normalise: part of the quarantine
line_files          records, laid_records                       originals: where the text of a file stands
original_lines      laid_records: lines with a fault            originals: their text, without reading the file again
page_lines          records: pages of an API, one a line        originals: on which line a record stands
typed               normalise.type_records                      all that follow: ``OBSERVED``, and ``fault``
covered             exports                                     workspace.merge_new: which time a file speaks for
made_ids            normalise: ids of rows that have none       placing
repeats             normalise: steps whose usage is below them  normalise: such a row is skipped
duplicates          normalise: rows that stand twice            normalise: such a row is not counted
fated               normalise: every row with its fate          placing, normalise
fates               normalise: rows by fate and reason          exports: the counts of the reading
tag_sets            attribution.read_tags                       placing, charge_meaning: what a set of tags says
new_requests, …     normalise, through placing                  workspace.merge_new and replace_rows, the figures
==================  ==========================================  =====================================================

JSON Lines are read in one of three ways, the first that can be:

1. ``laid_records.lay_records``: all files are lines, and every record of them is its own. ``records`` is a view, so
   that lines are typed while they are read. A line that cannot be read raises; then the view is relaxed, and such
   lines are told by their fault.
2. ``json_lines.read_strictly``: files of another make stand beside them, or the view could not be relaxed to one row a
   line. The file is copied into ``records`` by the engine if it can read all of it.
3. ``json_lines.load_lines`` beyond its strict read: some line cannot be read. The file is read leniently, or line by
   line, and each such line goes to ``refused`` with the reason.
"""
