"""Decision record: validated entries appended to a file of parameters, what stands there left as it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from finops_lib.errors import ParamsError
from finops_lib.files import replace_file
from finops_lib.ingest import workspace
from finops_lib.settings import Decision, Decisions, Params

DECISIONS = "decisions.yaml"


def record_decision(params: Params, decision: dict[str, Any]) -> Decision:
    """Append a decision to ``parameters/decisions.yaml``.

    Parameters
    ----------
    params : Params
        Of the project.
    decision : dict
        Keys of ``Decision``; those that are null are left out.

    Returns
    -------
    Decision
        As it stands on record now.

    Raises
    ------
    ParamsError
        If something is missing or wrong, or the same was decided and not yet reviewed.

    References
    ----------
    Requirement G5.
    """
    path = params.project / "parameters" / DECISIONS
    with workspace.locked(params.workspace):
        return append_record(path, "decisions", decision, Decisions).decisions[-1]


def append_record(path: Path, key: str, record: dict[str, Any], model: type[BaseModel]) -> Any:
    """Append a record to the one list of a YAML file; comments and order of the others stay.

    Parameters
    ----------
    path : Path
        The file; made when missing, else written beside and then replaced.
    key : str
        Name of the list.
    record : dict
        The record; what is null is left out.
    model : type
        Of the whole file: it validates all records together.

    Returns
    -------
    BaseModel
        The whole file, the new record last.

    Raises
    ------
    ParamsError
        If the file would no longer be valid; it is then as it was.
    """
    former = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    content = yaml.safe_load(former) or {}
    given = {name: value for name, value in record.items() if value is not None}
    records = [*(content.get(key) or []), given]
    try:
        valid = model.model_validate({**content, key: records})
    except ValidationError as error:
        problem = error.errors()[0]
        place = problem["loc"][2:] if problem["loc"][:2] == (key, len(records) - 1) else problem["loc"]
        message = f"{path}: {'.'.join(map(str, place)) or key}: {problem['msg'].removeprefix('Value error, ')}"
        raise ParamsError(message, hint="nothing was recorded; parameters/README.md lists the keys") from error
    written = valid.model_dump(exclude_none=True, exclude_defaults=True)[key][-1]
    plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in written.items()}
    text = _appended(former, key, plain)
    if model.model_validate(yaml.safe_load(text)) != valid:
        message = f"{path}: a record cannot be appended to the list '{key}'"
        raise ParamsError(message, hint=f"let '{key}:' be the last key, its records each begin a line with '-'")
    replace_file(path, text)
    return valid


def _appended(former: str, key: str, record: dict[str, Any]) -> str:
    """Write the record below the list, indented as its others."""
    node = yaml.compose(former, Loader=yaml.SafeLoader)
    pairs = dict((name.value, value) for name, value in node.value) if isinstance(node, yaml.MappingNode) else {}
    listed = pairs.get(key)
    begun = isinstance(listed, yaml.SequenceNode) and bool(listed.value) and not listed.flow_style
    indent = listed.start_mark.column if begun else 2
    dumped = yaml.safe_dump([record], sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)
    lines = "".join(f"{' ' * indent}{line}\n" for line in dumped.splitlines())
    if not begun:
        kept = "".join(line for line in former.splitlines(keepends=True) if not line.startswith(f"{key}:"))
        former = f"{kept}{key}:\n"
    return f"{former.rstrip()}\n{lines}" if begun else f"{former}{lines}"
