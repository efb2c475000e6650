"""Functions of whole arrays for computation graphs: in NumPy as the engine runs them and as scripts
show them, and in PyTorch for scripts.

Arrays come first, then whole numbers such as a stride. An index counts from 1. A script has the
text of these functions as it stands here, so they use NumPy and each other's names only.
"""

from __future__ import annotations

import numpy as np

from tutor.engine.tree import ArrayFunction


def conv(x: np.ndarray, k: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """In each window of x the products with the kernel k, added up."""
    x = np.pad(x, padding)
    y = np.empty([(n - w) // stride + 1 for n, w in zip(x.shape, k.shape, strict=True)])
    for at in np.ndindex(*y.shape):
        window = tuple(slice(n * stride, n * stride + w) for n, w in zip(at, k.shape, strict=True))
        y[at] = (x[window] * k).sum()
    return y


def conv_to_input(
    g: np.ndarray, k: np.ndarray, stride: int, padding: int, *shape: int
) -> np.ndarray:
    """Back from the windows: each hands its derivative times the kernel to its cells."""
    back = np.zeros([n + 2 * padding for n in shape])
    for at in np.ndindex(*g.shape):
        window = tuple(slice(n * stride, n * stride + w) for n, w in zip(at, k.shape, strict=True))
        back[window] += g[at] * k
    return back[tuple(slice(padding, padding + n) for n in shape)]


def conv_to_kernel(
    g: np.ndarray, x: np.ndarray, stride: int, padding: int, *shape: int
) -> np.ndarray:
    """The windows, each times its derivative, added up: the kernel is used in all of them."""
    x, back = np.pad(x, padding), np.zeros(shape)
    for at in np.ndindex(*g.shape):
        window = tuple(slice(n * stride, n * stride + w) for n, w in zip(at, shape, strict=True))
        back += g[at] * x[window]
    return back


def maxpool(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """The largest number of each window."""
    y = np.empty([(n - size) // stride + 1 for n in x.shape])
    for at in np.ndindex(*y.shape):
        window = tuple(slice(n * stride, n * stride + size) for n in at)
        y[at] = x[window].max()
    return y


def maxpool_back(g: np.ndarray, x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """Each derivative goes to the winner of its window; of equals the first one wins."""
    back = np.zeros(x.shape)
    for at in np.ndindex(*g.shape):
        window = tuple(slice(n * stride, n * stride + size) for n in at)
        winner = np.unravel_index(x[window].argmax(), x[window].shape)
        back[window][winner] += g[at]
    return back


def embed(table: np.ndarray, *rows: int) -> np.ndarray:
    """The rows with these numbers; of one row a list."""
    found: np.ndarray = table[[row - 1 for row in rows]]
    return found[0] if len(rows) == 1 else found


def embed_back(g: np.ndarray, count: int, *rows: int) -> np.ndarray:
    """Each derivative goes to the row it came from; the other rows of the table get 0."""
    back = np.zeros((count, g.shape[-1]))
    for row, part in zip(rows, g.reshape(len(rows), -1), strict=True):
        back[row - 1] += part
    return back


def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x) over its sum, along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    shares: np.ndarray = e / e.sum(axis=-1, keepdims=True)
    return shares


def layernorm(x: np.ndarray) -> np.ndarray:
    """(x − mean) over the square root of the variance plus 0.00001, along the last axis."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    y: np.ndarray = centred / np.sqrt(variance + 1e-5)
    return y


def layernorm_back(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What of g neither shifts all of x nor scales it, over the standard deviation."""
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    kept = g - g.mean(axis=-1, keepdims=True) - y * (g * y).mean(axis=-1, keepdims=True)
    back: np.ndarray = kept / spread
    return back


_CONV = """\
def conv(x, k, stride, padding):
    by_axes = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d}
    y = by_axes[x.dim()](x[None, None], k[None, None], stride=stride, padding=padding)
    return y[0, 0]
"""
_MAXPOOL = """\
def maxpool(x, size, stride):
    by_axes = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d}
    return by_axes[x.dim()](x[None, None], size, stride)[0, 0]
"""
_EMBED = """\
def embed(table, *rows):
    found = torch.nn.functional.embedding(torch.tensor(rows) - 1, table)
    return found[0] if len(rows) == 1 else found
"""
_SOFTMAX = """\
def softmax(x):
    return torch.softmax(x, dim=-1)
"""
_LAYERNORM = """\
def layernorm(x):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=1e-5)
"""

CONV1D = ArrayFunction("conv1d", conv, _CONV)
CONV2D = ArrayFunction("conv2d", conv, _CONV)
CONV_TO_INPUT = ArrayFunction("conv_to_input", conv_to_input)
CONV_TO_KERNEL = ArrayFunction("conv_to_kernel", conv_to_kernel)
MAXPOOL = ArrayFunction("maxpool", maxpool, _MAXPOOL)
MAXPOOL_BACK = ArrayFunction("maxpool_back", maxpool_back)
EMBED = ArrayFunction("embed", embed, _EMBED)
EMBED_BACK = ArrayFunction("embed_back", embed_back)
SOFTMAX = ArrayFunction("softmax", softmax, _SOFTMAX)
LAYERNORM = ArrayFunction("layernorm", layernorm, _LAYERNORM)
LAYERNORM_BACK = ArrayFunction("layernorm_back", layernorm_back)

NAMES = frozenset(
    one.compute.__name__ for one in list(globals().values()) if isinstance(one, ArrayFunction)
)
"""What these functions are called in scripts."""
