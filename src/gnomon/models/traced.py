"""A body's forward pass traced: the operations that its modules call, one after another, without the modules.

Where few rows are computed at a time, as in sampling, the modules of transformers and the checks of their calls take longer than
the arithmetic. The operations are recorded twice, with the fewest and the most rows that will come, and become the text of one
Python function. Whatever the recordings do not agree on must be a whole number that grows with the rows as a straight line
does; code that looks into values is refused. The function calls what the modules call, in their order: its numbers are the
same bit for bit, and that is checked before it is used.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gnomon.errors import GnomonError

FEWEST, MOST = 4, 64
"""Rows for which the traced pass is used; beyond them products take the time."""
BETWEEN = 28
PATIENCE = 16
"""Passes of few rows before a body is recorded, which takes as long as several of them."""
HEAVY = 1 << 28
"""Weights on a CPU from which products take the time even for one row."""
QUERIES = {
    *("__get__", "__len__", "size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "element_size"),
    *("is_floating_point", "is_complex", "is_contiguous", "is_tensor", "is_inference", "is_signed", "result_type", "get_device"),
    "_set_grad_enabled",
}
"""Calls that give no tensor and tell nothing of values; gradients are off in any case."""

Attend = Callable[[Tensor, Tensor, Tensor, Any], Tensor]
"""As `body.Attention.attend`."""
Pass = Callable[[Tensor, Tensor, Attend], Tensor]
"""Tokens [rows], positions [rows] and an attention; the last hidden states [rows, hidden]."""

_log = logging.getLogger(__name__)


class CannotTrace(GnomonError):
    """What a body does cannot be traced."""


@dataclass
class TracedPass:
    """A pass that is traced once it has been used for a while; until then, and where that cannot be, the plain one.

    Attributes:
        plain: The pass by way of the modules.
        module: What it computes, to see whether others want to be called on the way (hooks).
        vocabulary: Tokens that it knows.
    """

    plain: Pass
    module: nn.Module
    vocabulary: int
    _used: int = 0
    _fast: Pass | None = None
    _hooks: tuple[Mapping[Any, Any], ...] = field(default=())

    def __call__(self, tokens: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """The last hidden states [rows, hidden]."""
        if not FEWEST <= len(tokens) <= MOST:
            return self.plain(tokens, positions, attend)
        self._used += 1
        if self._used == PATIENCE:
            self._write(tokens.device)
        if self._fast is None or any(self._hooks):
            return self.plain(tokens, positions, attend)
        return self._fast(tokens, positions, attend)

    def _write(self, device: torch.device) -> None:
        """Writes the pass out if it is light enough and can be."""
        if device.type == "cpu" and sum(each.numel() for each in self.module.parameters()) > HEAVY:
            return
        modules: list[Any] = list(self.module.modules())
        self._hooks = tuple(chain.from_iterable((each._forward_hooks, each._forward_pre_hooks) for each in modules))
        try:
            self._fast = None if any(self._hooks) else traced(self.plain, self.vocabulary, device)
        except CannotTrace as reason:
            _log.info("short passes go through the model's modules: %s", reason)


def traced(plain: Pass, vocabulary: int, device: torch.device) -> Pass:
    """The pass as one function without modules, for `FEWEST` to `MOST` rows.

    Args:
        plain: It must do the same whatever the values are, but for the numbers.
        vocabulary: Tokens that can be fed.
        device: Where.

    Raises:
        CannotTrace: It does something that cannot be traced, or gives other numbers so.
    """

    def inputs(rows: int) -> tuple[Tensor, Tensor]:
        counted = torch.arange(rows, device=device)
        return counted % vocabulary, counted % FEWEST

    found = _Writer(_record(plain, *inputs(FEWEST)), _record(plain, *inputs(MOST))).written()
    for rows in (FEWEST, BETWEEN, MOST):
        if not _equal(found, plain, *inputs(rows)):
            raise CannotTrace("the operations in a row give other numbers than the modules")
    return found


def _equal(one: Pass, other: Pass, tokens: Tensor, positions: Tensor) -> bool:
    try:
        return torch.equal(one(tokens, positions, _stand_in), other(tokens, positions, _stand_in))
    except (RuntimeError, IndexError):  # sizes that do not fit
        return False


@dataclass(frozen=True)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    result: Any


@dataclass
class _Recording:
    tokens: Tensor
    positions: Tensor
    calls: list[_Call] = field(default_factory=list[_Call])
    result: Any = None


class _Recorder(TorchFunctionMode):
    """Notes every call of torch that gives or changes a tensor."""

    def __init__(self, calls: list[_Call]):
        super().__init__()
        self._calls = calls
        self._silent = False

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if self._silent:
            return result
        if any(isinstance(each, Tensor) for each in _leaves(result)) or _changes(func):
            self._calls.append(_Call(func, args, kwargs or {}, result))
        elif func.__name__ not in QUERIES:
            raise CannotTrace(f"it looks into values ({func.__name__})")
        return result

    def attend(self, query: Tensor, key: Tensor, value: Tensor, rule: Any) -> Tensor:
        """Stands in for an attention, and is noted as one call."""
        self._silent = True
        try:
            result = _stand_in(query, key, value, rule)
        finally:
            self._silent = False
        self._calls.append(_Call(_stand_in, (query, key, value, rule), {}, result))
        return result


def _stand_in(query: Tensor, key: Tensor, value: Tensor, rule: Any) -> Tensor:
    """An attention that only says something of all that it is given."""
    shared = len(query) // len(key)
    near = (query * key.repeat_interleave(shared, 0)).mean(-1, keepdim=True)
    return value.repeat_interleave(shared, 0) + near


def _record(plain: Pass, tokens: Tensor, positions: Tensor) -> _Recording:
    recording = _Recording(tokens, positions)
    recorder = _Recorder(recording.calls)
    with recorder:
        recording.result = plain(tokens, positions, recorder.attend)
    return recording


class _Writer:
    """The text of two recordings of one pass."""

    def __init__(self, few: _Recording, most: _Recording):
        self._few, self._most = few, most
        self._names: dict[int, dict[int, str]] = {0: {}, 1: {}}
        self._bound: dict[str, Any] = {}
        self._bound_names: dict[int, str] = {}

    def written(self) -> Pass:
        if len(self._few.calls) != len(self._most.calls):
            raise CannotTrace("what it does depends on the number of rows")
        for side, recording in enumerate((self._few, self._most)):
            self._names[side] |= {id(recording.tokens): "tokens", id(recording.positions): "positions"}
        lines = [self._line(number, *pair) for number, pair in enumerate(zip(self._few.calls, self._most.calls, strict=True))]
        result = self._text(self._few.result, self._most.result)
        needed = _needed(self._few.calls, self._few.result)
        body = "\n        ".join(line for line, wanted in zip(lines, needed, strict=True) if wanted)
        text = (
            f"def bind({', '.join(self._bound)}):\n    def run(tokens, positions, attend):\n        n = len(tokens)\n"
            f"        {body}\n        return {result}\n    return run\n"
        )
        space: dict[str, Any] = {}
        exec(compile(text, "<traced>", "exec"), space)  # the text holds names and whole numbers only
        return space["bind"](**self._bound)

    def _line(self, number: int, few: _Call, most: _Call) -> str:
        if few.function != most.function:
            raise CannotTrace("what it does depends on the number of rows")
        function = "attend" if few.function is _stand_in else self._bind(few.function)
        given = [self._text(*pair) for pair in _paired(few.arguments, most.arguments)]
        if few.named.keys() != most.named.keys():
            raise CannotTrace("what it does depends on the number of rows")
        given += [f"{name}={self._text(value, most.named[name])}" for name, value in few.named.items()]
        for side, call in enumerate((few, most)):
            self._name(side, call, call.result, f"v{number}")
        return f"v{number} = {function}({', '.join(given)})"

    def _name(self, side: int, call: _Call, result: Any, name: str) -> None:
        """Notes under which name a result is found; what a call only hands back keeps the name that it had."""
        if isinstance(result, Tensor):
            if all(result is not each for each in _leaves(call.arguments)):
                self._names[side].setdefault(id(result), name)
        elif isinstance(result, list | tuple):
            for place, each in enumerate(result):
                self._name(side, call, each, f"{name}[{place}]")

    def _text(self, few: Any, most: Any) -> str:
        """An argument, as the two recordings have it."""
        if isinstance(few, Tensor):
            names = [self._names[side].get(id(each)) for side, each in enumerate((few, most))]
            if names[0] != names[1] or (names[0] is None and few is not most):
                raise CannotTrace("it uses a tensor that comes from nowhere")
            return names[0] or self._bind(few)
        if type(few) is not type(most):
            raise CannotTrace("what it does depends on the number of rows")
        if type(few) is int:
            return _grown(few, most)
        if isinstance(few, list | tuple):
            inner = [self._text(*pair) for pair in _paired(few, most)]
            return f"[{', '.join(inner)}]" if isinstance(few, list) else f"({''.join(f'{each}, ' for each in inner)})"
        if isinstance(few, slice):
            ends = ((few.start, most.start), (few.stop, most.stop), (few.step, most.step))
            return f"slice({', '.join(self._text(*pair) for pair in ends)})"
        if isinstance(few, dict) or few != most:
            raise CannotTrace("what it does depends on the number of rows")
        return repr(few) if few is None or few is ... or isinstance(few, bool | str) else self._bind(few)

    def _bind(self, value: Any) -> str:
        """The name of a value that the text cannot hold."""
        if id(value) not in self._bound_names:
            name = f"c{len(self._bound)}"
            self._bound_names[id(value)], self._bound[name] = name, value
        return self._bound_names[id(value)]


def _grown(few: int, most: int) -> str:
    """A whole number by the number of rows `n`."""
    if few == most:
        return repr(few)
    slope, rest = divmod(most - few, MOST - FEWEST)
    if rest:
        raise CannotTrace("what it does depends on the number of rows")
    return f"{slope} * n + {few - slope * FEWEST}"


def _paired(few: Sequence[Any], most: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    if len(few) != len(most):
        raise CannotTrace("what it does depends on the number of rows")
    return zip(few, most, strict=True)


def _needed(calls: Sequence[_Call], result: Any) -> list[bool]:
    """Which calls the result rests on; those that change a tensor, and attention, always."""
    wanted = {id(each) for each in _leaves(result)}
    needed = [False] * len(calls)
    for number in reversed(range(len(calls))):
        call = calls[number]
        made = {id(each) for each in _leaves(call.result)}
        given = {id(each) for each in _leaves(call.arguments)}
        always = call.function is _stand_in or _changes(call.function)
        needed[number] = always or bool((made - given) & wanted)  # what it only hands back needs no call
        if needed[number]:
            wanted |= given | {id(each) for each in _leaves(call.named)}
    return needed


def _changes(function: Any) -> bool:
    """Whether a function of torch changes its first argument, by its name."""
    name = function.__name__
    if name.startswith("__"):
        return name in {"__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__iand__", "__ior__"}
    return name.endswith("_")


def _leaves(value: Any) -> Iterator[Any]:
    """What lists, tuples, dictionaries and slices hold."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    elif isinstance(value, slice):
        yield from (value.start, value.stop, value.step)
    else:
        yield value
