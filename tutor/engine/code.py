"""From trees to Python: the program that the engine runs, and the scripts that people take away,
are the same trees.

What is needed more than once is computed once, and functions stand before their first use; a
dialect (`tutor.engine.dialects`) writes the expressions.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tutor.engine.dialects import Python, attribute, call, sequence, variable
from tutor.engine.tree import Apply, Difference, Exp, Function, Node, Stable, put, rewrite, walk

Statement = ast.stmt


def answered(names: Iterable[str]) -> Statement:
    """return a, b, …"""
    return ast.Return(sequence(*map(variable, names)))


def answered_with_check(
    found: Mapping[Any, str], rows: Sequence[str], arrays: Sequence[str], numbers: Sequence[str]
) -> Statement:
    """return {key: a, …}, whether all of these are finite (the `rows` fit side by side)"""

    def finite(array: ast.expr) -> ast.expr:
        return call(attribute(call(attribute(variable("np"), "isfinite"), array), "all"))

    side_by_side = call(
        attribute(variable("np"), "concatenate"), sequence(*map(variable, rows)), ast.Constant(1)
    )
    checks = [finite(side_by_side), *(finite(variable(array)) for array in arrays)]
    checks += [call(variable("isfinite"), variable(number)) for number in numbers]
    mapping = ast.Dict([ast.Constant(key) for key in found], [*map(variable, found.values())])
    return ast.Return(sequence(mapping, ast.BoolOp(ast.And(), checks)))


def frozen(name: str) -> Statement:
    """name.setflags(False): nobody can write to it."""
    return ast.Expr(call(attribute(variable(name), "setflags"), ast.Constant(False)))


def assigned(name: str, value: ast.expr) -> Statement:
    """name = value"""
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)


def functions(trees: Iterable[Node], dialect: Python) -> Iterator[tuple[Function, Node]]:
    """The functions that trees apply and a library does not have, each once and before its first
    use, with their trees.
    """
    done: dict[Function, Node] = {}

    def need(tree: Node) -> None:
        for node in walk(tree):
            if isinstance(node, Stable):
                need(dialect.chosen(node))
            if (
                isinstance(node, Apply)
                and not dialect.has(node.function)
                and node.function not in done
            ):
                need(node.function.computed)
                if not dialect.inlines(node.function):
                    done[node.function] = node.function.computed

    for tree in trees:
        need(tree)
    return iter(done.items())


def function_lines(tree: Node, dialect: Python) -> list[Statement]:
    """The body of a function: what is needed more than once has a name, then what it returns."""
    tree = as_computed(tree, dialect)
    names: dict[Node, str] = {}
    lines: list[Statement] = []
    for node in _repeated(tree):
        name = _INITIAL.get(type(node), "part")
        name = f"{name}{len(names) + 1}" if name in names.values() else name
        lines.append(assigned(name, dialect.having(names).write(node)))
        names = {**names, node: name}
    return [*lines, ast.Return(dialect.having(names).write(tree))]


def program_lines(wanted: Iterable[tuple[str, Node]], dialect: Python) -> Iterator[Statement]:
    """name = tree for each; what is needed more than once, by whichever, is computed once."""
    computed = [(name, as_computed(tree, dialect)) for name, tree in wanted]
    shared = _repeated(*(tree for _, tree in computed))
    names: dict[Node, str] = {}
    dialect = dialect.having(names)
    for name, tree in computed:
        inside = set(walk(tree))
        for node in shared:
            if node in inside and node not in names and node != tree:
                part = f"part{len(names)}"
                yield assigned(part, dialect.write(node))
                names[node] = part
        yield assigned(name, dialect.write(tree))
        names[tree] = name


def as_computed(tree: Node, dialect: Python) -> Node:
    """The tree that a dialect computes: with its form of what is stable, and its inline functions
    in place.
    """

    def rule(node: Node) -> Node | None:
        if isinstance(node, Stable):
            return as_computed(dialect.chosen(node), dialect)
        if (
            isinstance(node, Apply)
            and not dialect.has(node.function)
            and dialect.inlines(node.function)
        ):
            return as_computed(put(node.function.computed, node.of), dialect)
        return dialect.simpler(node)

    return rewrite(tree, rule)


_INITIAL: dict[type, str] = {Exp: "e", Difference: "shifted"}


def _repeated(*trees: Node) -> list[Node]:
    """What stands in trees more than once, inner ones first; not what is there only as a part of
    something repeated.
    """
    counts: Counter[Node] = Counter()

    def count(node: Node) -> None:
        if node.children:
            counts[node] += 1
        if counts[node] < 2:
            for child in node.children:
                count(child)

    for tree in trees:
        count(tree)
    found = [node for node, times in counts.items() if times > 1]
    return sorted(found, key=lambda node: sum(1 for _ in walk(node)))


def defined(
    name: str, arguments: Sequence[str], body: Sequence[Statement], about: str = ""
) -> Statement:
    """A function."""
    text: list[Statement] = [ast.Expr(ast.Constant(about))] if about else []
    parameters = ast.arguments(
        [], [ast.arg(argument) for argument in arguments], None, [], [], None, []
    )
    return ast.FunctionDef(name, parameters, [*text, *body], [], lineno=0)


def source(*statements: Statement | ast.expr) -> str:
    """The text of statements."""
    return "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in statements)


def compiled(
    name: str, statements: Sequence[Statement], scope: dict[str, Any]
) -> Callable[..., Any]:
    """Run statements that define a function, and give the function."""
    module = ast.fix_missing_locations(ast.Module(list(statements), []))
    # Made of our own trees: no text of a lesson is in it
    exec(compile(module, "<program>", "exec"), scope)  # noqa: S102
    function: Callable[..., Any] = scope[name]
    return function
