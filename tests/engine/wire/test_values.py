"""What crosses the wire comes back as it was, and what must not cross does not."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.wire.decoding import decode
from autograder.wire.encoding import encode
from autograder.wire.values import Array, GeneratorSeed, HandleReference, Unusable, WireError


def there_and_back(value, make_handle=None, take_handle=None):
    buffers: list = []
    tree = encode(value, buffers, make_handle)
    return decode(tree, [bytearray(b) for b in buffers], take_handle)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(plain)
def test_plain_data_comes_back_equal_and_of_the_same_type(value):
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_not_a_number_and_infinities_cross():
    back = there_and_back([float("nan"), float("inf"), -math.inf])
    assert math.isnan(back[0])
    assert back[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.uint8,
        torch.bool,
        torch.complex64,
    ],
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_tensors_keep_shape_dtype_and_values(dtype, shape):
    tensor = (torch.randn(shape) * 5).to(dtype)
    back = there_and_back(tensor)
    assert back.dtype == dtype
    assert back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_views_conjugates_and_graphs_are_sent_as_their_values():
    base = torch.arange(12.0).reshape(3, 4)
    assert torch.equal(there_and_back(base.T[1:]), base.T[1:])
    assert torch.equal(there_and_back(base[0].expand(5, 4)), base[0].expand(5, 4))
    z = torch.tensor([1 + 2j]).conj()
    assert torch.equal(there_and_back(z), z.resolve_conj())
    x = torch.ones(2, requires_grad=True)
    assert not there_and_back(x * 2).requires_grad


def test_numpy_arrays_are_remembered_as_such():
    back = there_and_back(np.arange(6).reshape(2, 3))
    assert isinstance(back, Array)
    assert back.tensor.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert there_and_back(np.float64(2.5)) == 2.5
    assert there_and_back(np.bool_(True)) is True


def test_data_in_another_coat_is_plain_data():
    Point = namedtuple("Point", "x y")
    assert there_and_back(Point(1, 2)) == (1, 2)
    assert there_and_back(OrderedDict(a=1)) == {"a": 1}


def test_a_subclass_that_lies_is_read_by_its_plain_data():
    class Liar(list):
        def __iter__(self):
            return iter([42] * 1000)

        def __len__(self):
            return 0

    assert there_and_back(Liar([1, 2])) == [1, 2]

    class LyingTensor(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return torch.zeros(3)

    assert there_and_back(torch.Tensor._make_subclass(LyingTensor, torch.ones(3))).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "value",
    [
        torch.eye(3).to_sparse(),
        torch.empty(3, device="meta"),
        torch.zeros(1).expand(10**9),
        "x" * 2_000_000,
        10**1000,
        np.array([object()]),
        np.array(["text"]),
    ],
    ids=["sparse", "meta", "huge", "long text", "long integer", "objects", "texts"],
)
def test_what_is_no_answer_says_why(value):
    assert isinstance(there_and_back(value), Unusable)


def test_a_list_that_contains_itself_ends():
    loop: list = []
    loop.append(loop)
    there_and_back(loop)


def test_objects_cross_as_handles_only():
    with pytest.raises(WireError):
        there_and_back(object())
    reference = HandleReference(3, "Thing", True)
    assert there_and_back(object(), lambda value: reference, lambda r: r) == reference
    with pytest.raises(WireError):
        there_and_back(object(), lambda value: reference)


def test_a_generator_crosses_as_its_seed():
    back = there_and_back(torch.Generator().manual_seed(2**40 + 7))
    assert back.initial_seed() == 2**40 + 7
    assert isinstance(there_and_back(GeneratorSeed(5)), torch.Generator)


BAD = [
    {"t": "unknown"},
    {"t": []},
    {"no": "tag"},
    {"t": "int", "v": "zz"},
    {"t": "int", "v": 5},
    {"t": "int", "v": "1" * 10_000},
    {"t": "float", "v": "1.0"},
    {"t": "tuple", "v": 3},
    {"t": "tuple", "v": [], "more": 1},
    {"t": "dict", "v": [[1]]},
    {"t": "dict", "v": [[[], 1]]},
    {"t": "set", "v": [[1]]},
    {"t": "tensor", "d": "float64", "s": [2], "b": 0, "c": "torch"},
    {"t": "tensor", "d": "float64", "s": [-1], "b": 0, "c": "torch"},
    {"t": "tensor", "d": "float64", "s": [True], "b": 0, "c": "torch"},
    {"t": "tensor", "d": "float64", "s": [2**62, 2**62, 0], "b": 0, "c": "torch"},
    {"t": "tensor", "d": "object", "s": [1], "b": 0, "c": "torch"},
    {"t": "tensor", "d": "float64", "s": [1], "b": 7, "c": "torch"},
    {"t": "tensor", "d": "float64", "s": [1], "b": True, "c": "torch"},
    {"t": "tensor", "d": "float64", "s": [1], "b": 0, "c": "pickle"},
    {"t": "numbers", "b": 5, "d": "int64"},
    {"t": "numbers", "b": 0, "d": "complex128"},
    {"t": "handle", "n": "0", "type": "x", "callable": True},
    {"t": "generator", "seed": "-0x5"},
    {"t": "dtype", "v": "nonsense"},
    {"t": "unusable", "v": 3},
]


@pytest.mark.parametrize("tree", BAD, ids=[str(i) for i in range(len(BAD))])
def test_a_malformed_value_is_refused(tree):
    with pytest.raises(WireError):
        decode(tree, [bytearray(8)], lambda r: r)


def test_a_buffer_is_used_once():
    one = {"t": "tensor", "d": "float64", "s": [1], "b": 0, "c": "torch"}
    assert decode(one, [bytearray(8)]).tolist() == [0.0]
    with pytest.raises(WireError):
        decode([one, one], [bytearray(8)])


def test_deep_nesting_is_refused():
    tree: object = 1
    for _ in range(100):
        tree = [tree]
    with pytest.raises(WireError):
        decode(tree, [])
