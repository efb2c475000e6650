"""Networks: what fits together and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tutor.engine.activations import activation
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen, with_parameters
from tutor.errors import NetworkError


def layer(units: int, inputs: int, name: str = "sigmoid", *, biases: bool = True) -> Layer:
    return Layer(np.zeros((units, inputs)), np.zeros(units) if biases else None, activation(name))


def network(*layers: Layer, under: str = "squared_error", reduction: str = "mean") -> Network:
    return Network(layers, loss(under), reduction)


def test_a_network_knows_its_shape_as_people_write_it() -> None:
    net = network(layer(2, 1), layer(3, 2), layer(1, 3, biases=False))
    assert net.sizes == (1, 2, 3, 1)
    assert net.shape == "1-2-3-1"
    assert net.depth == 3
    assert net.layer(1) is net.layers[0]


def test_parameters_are_counted_with_the_biases_that_there_are() -> None:
    assert (
        network(layer(2, 1), layer(3, 2), layer(1, 3, biases=False)).parameters
        == (2 + 2) + (6 + 3) + 3
    )


def test_layers_that_do_not_fit_are_named() -> None:
    with pytest.raises(NetworkError, match="layer 2 takes 3 inputs, but layer 1 has 2 units"):
        network(layer(2, 1), layer(1, 3))


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(NetworkError, match="at least one layer"):
        network()


@pytest.mark.parametrize("shape", [(2,), (0, 1), (1, 0), (1, 2, 3), ()])
def test_weights_are_a_matrix_with_something_in_it(shape: tuple[int, ...]) -> None:
    with pytest.raises(NetworkError, match="one row per unit"):
        Layer(np.zeros(shape), None, activation("relu"))


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 1), ()])
def test_there_is_one_bias_per_unit(shape: tuple[int, ...]) -> None:
    with pytest.raises(NetworkError, match="expected 2 biases"):
        Layer(np.zeros((2, 1)), np.zeros(shape), activation("relu"))


@pytest.mark.parametrize(
    ("under", "right"), [("binary_cross_entropy", "sigmoid"), ("cross_entropy", "softmax")]
)
def test_a_cross_entropy_needs_its_own_output_layer(under: str, right: str) -> None:
    assert network(layer(2, 1, right), under=under).loss.fused_with == right
    with pytest.raises(NetworkError, match=f"needs a {right} output layer, this one is relu"):
        network(layer(2, 1, "relu"), under=under)


def test_the_scale_is_one_over_the_samples_for_a_mean_and_one_for_a_sum() -> None:
    assert network(layer(1, 1)).scale(4) == 0.25
    assert network(layer(1, 1), reduction="sum").scale(4) == 1.0


def test_parameters_cannot_be_written_to_and_the_callers_array_stays_his() -> None:
    mine = np.ones((1, 1))
    made = Layer(mine, np.zeros(1), activation("relu"))
    mine[0, 0] = 7.0
    assert made.weights[0, 0] == 1.0
    assert made.biases is not None
    for array in (made.weights, made.biases):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 2.0


def test_freezing_makes_float64_of_what_it_gets_and_keeps_what_is_frozen() -> None:
    array = frozen([[1, 2]])
    assert array.dtype == np.float64
    assert frozen(array) is array
    assert frozen(np.ones(2, dtype=np.float32)).dtype == np.float64


def test_biases_learn_where_there_are_some_and_they_are_not_frozen() -> None:
    zeros = np.zeros(1)
    assert Layer(np.ones((1, 1)), zeros, activation("relu")).learns_biases
    assert not Layer(np.ones((1, 1)), None, activation("relu")).learns_biases
    assert not Layer(np.ones((1, 1)), zeros, activation("relu"), train_biases=False).learns_biases


def test_new_parameters_leave_the_rest_of_the_network_as_it_was() -> None:
    net = network(layer(2, 1), layer(1, 2, biases=False), reduction="sum")
    new = with_parameters(net, (np.ones((2, 1)), np.ones((1, 2))), (np.ones(2), None))
    assert new.reduction == "sum"
    assert new.loss is net.loss
    assert new.layer(1).weights.tolist() == [[1.0], [1.0]]
    assert new.layer(2).biases is None
    assert net.layer(1).weights.tolist() == [[0.0], [0.0]]


def test_another_loss_is_checked_against_the_output_layer_too() -> None:
    net = network(layer(1, 1, "sigmoid"))
    assert replace(net, loss=loss("binary_cross_entropy")).loss.name == "binary_cross_entropy"
    with pytest.raises(NetworkError, match="softmax"):
        replace(net, loss=loss("cross_entropy"))
