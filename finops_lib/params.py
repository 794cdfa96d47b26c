"""Parameters: YAML files and what-if values become one validated, frozen ``Params``."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from finops_lib.errors import ParamsError, nearest
from finops_lib.settings import (
    ORGANISATION,
    Attribution,
    CaptureLayer,
    Decisions,
    Organisation,
    Owners,
    Params,
    PriceOverride,
    Promotions,
    Settings,
    Source,
    Team,
    check_routing,
)

__all__ = [
    "ORGANISATION",
    "Attribution",
    "CaptureLayer",
    "Organisation",
    "Owners",
    "Params",
    "PriceOverride",
    "Settings",
    "Source",
    "Team",
    "find_project",
    "list_assistants",
    "load_params",
    "read_promotions",
]


def find_project(start: Path | str | None = None) -> Path:
    """Find the project folder: the nearest one upwards that holds ``parameters/``.

    Parameters
    ----------
    start : path, optional
        A project folder, taken as it is. Without it ``FINOPS_PROJECT``, then the working directory upwards.

    Returns
    -------
    Path
        Absolute path of the project folder.

    Raises
    ------
    ParamsError
        If no folder with ``parameters/`` is found.
    """
    named = start or os.environ.get("FINOPS_PROJECT")
    if named:
        project = Path(named).expanduser().resolve()
        if not (project / "parameters").is_dir():
            message = f"No folder 'parameters' in the project folder {project}"
            raise ParamsError(message, hint="create parameters/organisation.yaml there, or name another folder")
        return project
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "parameters").is_dir():
            return folder
    message = f"No project found from {here} upwards: a project folder holds a folder 'parameters'"
    raise ParamsError(message, hint="change into the project, or pass --project DIR or set FINOPS_PROJECT")


def load_params(
    assistant: str = ORGANISATION,
    period: str = "latest",
    settings: Mapping[str, Any] | None = None,
    *,
    project: Path | str | None = None,
) -> Params:
    """Load and validate all parameters for one assistant and month.

    Package defaults ← ``organisation.yaml`` ← the assistant's file ← ``settings``: mappings are merged
    deeply, lists are replaced.

    Parameters
    ----------
    assistant : str
        Name of an assistant's file in ``parameters/``, or ``organisation``.
    period : str
        A month ``YYYY-MM``, or ``latest`` for the last month the ledger holds.
    settings : mapping, optional
        What-if values, as under ``settings`` of an assistant's file.
    project : path, optional
        The project folder; found as by ``find_project`` when not given.

    Returns
    -------
    Params
        Frozen and validated; its ``team`` is the one a team page is about, as the batch says by ``FINOPS_TEAM``.

    Raises
    ------
    ParamsError
        If a file cannot be read, a key is unknown (the nearest known one is named) or a value is wrong.
    """
    _check_name(assistant)
    _check_period(period, "period")
    given = _mapping(settings, "the settings passed in")
    folder = find_project(project) / "parameters"
    organisation_file = folder / f"{ORGANISATION}.yaml"
    organisation = _validate(Organisation, _read_yaml(organisation_file), organisation_file)
    _validate(Settings, organisation.defaults, organisation_file, prefix=("defaults",))
    assistants = {
        name: _assistant_settings(folder / f"{name}.yaml", organisation, {}) for name in list_assistants(folder.parent)
    }
    if assistant == ORGANISATION:
        merged = _merge(organisation.defaults, given)
        chosen = _validate(Settings, merged, organisation_file, prefix=("defaults",), given=given)
    elif assistant in assistants:
        chosen = _assistant_settings(folder / f"{assistant}.yaml", organisation, given)
    else:
        message = f"No file parameters/{assistant}.yaml in {folder.parent}"
        hint = nearest(assistant, assistants, f"known: {', '.join(assistants) or 'none yet'}")
        raise ParamsError(message, hint=hint)
    in_force = assistants if assistant == ORGANISATION else assistants | {assistant: chosen}
    check_routing(organisation.models, in_force)
    return Params(
        assistant=assistant,
        period=str(period),
        settings=chosen,
        organisation=organisation,
        project=folder.parent,
        assistants=assistants,
        promotions=read_promotions(folder.parent).promotions,
        team=os.environ.get("FINOPS_TEAM"),
        decisions=_records(folder / "decisions.yaml", Decisions).decisions,
    )


def read_promotions(project: Path | str) -> Promotions:
    """Read the changes on record, ``parameters/promotions.yaml``.

    Parameters
    ----------
    project : path
        The project folder.

    Returns
    -------
    Promotions
        Empty without such a file.

    Raises
    ------
    ParamsError
        If a record is wrong, or stands there twice.
    """
    path = Path(project) / "parameters" / "promotions.yaml"
    return _validate(Promotions, _read_yaml(path), path) if path.is_file() else Promotions()


def list_assistants(project: Path | str) -> list[str]:
    """List the assistants that have a parameter file, by name.

    Parameters
    ----------
    project : path
        The project folder.

    Returns
    -------
    list of str
        Names of the files in ``parameters/`` that hold a key ``assistant``.

    Raises
    ------
    ParamsError
        If a file is no YAML mapping, or its ``assistant`` is not the file's name or no name.
    """
    found = []
    for path in sorted((Path(project) / "parameters").glob("*.yaml")):
        if path.stem == ORGANISATION:
            continue
        content = _read_yaml(path)
        if "assistant" not in content:
            continue
        if content["assistant"] != path.stem:
            message = f"{path}: assistant is '{content['assistant']}', expected '{path.stem}' as the file is named"
            raise ParamsError(message, hint="rename the file or change the key")
        _check_name(path.stem)
        found.append(path.stem)
    return found


def _records(path: Path, model: type[BaseModel]) -> Any:
    """Read a file of records; without the file there are none."""
    return _validate(model, _read_yaml(path) if path.is_file() else {}, path)


def _assistant_settings(path: Path, organisation: Organisation, settings: Mapping[str, Any]) -> Settings:
    content = _read_yaml(path)
    unknown = [key for key in content if key not in ("assistant", "period", "settings")]
    if unknown:
        line = _line_of(path, (unknown[0],))
        message = f"{path}, line {line}: unknown key '{unknown[0]}'"
        raise ParamsError(message, hint="the keys are assistant, period and settings; put it under 'settings'")
    _check_period(content.get("period", "latest"), f"{path}, line {_line_of(path, ('period',))}: period")
    own = _mapping(content.get("settings"), f"{path}: settings")
    merged = _merge(_merge(organisation.defaults, own), settings)
    return _validate(Settings, merged, path, prefix=("settings",), given=settings)


def _check_name(assistant: Any) -> None:
    if not isinstance(assistant, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", assistant):
        message = f"'{assistant}' is no assistant's name"
        raise ParamsError(message, hint="use letters, digits, '-', '_' and '.' as in parameters/<assistant>.yaml")


def _check_period(period: Any, where: str) -> None:
    if not re.fullmatch(r"latest|\d{4}-(0[1-9]|1[0-2])", str(period)):
        message = f"{where}: found '{period}', expected a month 'YYYY-MM' or 'latest'"
        raise ParamsError(message, hint='write it in quotes, e.g. period: "2026-09"')


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        message = f"{where}: found {value!r}, expected keys and values"
        raise ParamsError(message, hint="give a mapping, e.g. {window_days: 14}")
    return value or {}


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML readers silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                message = f"key '{key.value}' stands twice"
                raise yaml.constructor.ConstructorError(problem=message, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        message = f"No file {path}"
        raise ParamsError(message, hint="create it; parameters/README.md lists every key")
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        message = f"{path}: not readable as YAML: {error}"
        raise ParamsError(message, hint="check indentation and quotes at the line named; files are UTF-8") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        message = f"{path}: found a {type(content).__name__}, expected keys and values"
        raise ParamsError(message, hint="write 'key: value' lines")
    return content


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings deeply; anything else in ``top`` replaces what stands in ``base``."""
    merged = copy.deepcopy(dict(base))
    for key, value in top.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _validate(
    model: type[BaseModel],
    content: Mapping[str, Any],
    path: Path,
    prefix: tuple[str, ...] = (),
    given: Mapping[str, Any] | None = None,
) -> Any:
    """Validate what a file says, and what was ``given`` on top of it, in words that point at the culprit."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        keys = tuple(problem["loc"])
        where = ".".join(str(key) for key in prefix + keys)
        line = _line_of(path, prefix + keys)
        place = f"{path}, line {line}" if line else str(path)
        if _holds(given, keys):
            place = "the settings passed in"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, keys[:-1])
            message = f"{place}: unknown key '{where}'"
            raise ParamsError(message, hint=nearest(str(keys[-1]), known, f"known keys: {', '.join(known)}")) from error
        wrong = problem["msg"].removeprefix("Value error, ")
        message = f"{place}: {where}: {wrong}, found {problem['input']!r}"
        raise ParamsError(message, hint="parameters/README.md says what each key takes") from error


def _holds(given: Mapping[str, Any] | None, keys: tuple[Any, ...]) -> bool:
    """Say whether a value stands in ``given`` itself."""
    node: Any = given
    for key in keys:
        if not isinstance(node, Mapping):
            break
        if key not in node:
            return False
        node = node[key]
    return bool(given)


def _known_keys(model: type[BaseModel], keys: tuple[Any, ...]) -> list[str]:
    """Follow ``keys`` through nested models to the names allowed at their end."""
    for key in keys:
        field = model.model_fields.get(str(key)) or next(
            (f for f in model.model_fields.values() if f.alias == key), None
        )
        if field is None:
            continue
        for candidate in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return [field.alias or name for name, field in model.model_fields.items()]


def _line_of(path: Path, keys: tuple[Any, ...]) -> int | None:
    """Find the line of a nested key, counted from 1; ``None`` when the file does not hold it."""
    if not path.is_file():
        return None
    node = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(key)), None)
            if pair is None:
                return line if line else None
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line
