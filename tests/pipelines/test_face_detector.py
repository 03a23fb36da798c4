"""Of faces that overlap, the best is kept: as torchvision does it."""

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from pipelines.face_detector import distinct

MAX_OVERLAP = 0.4


@pytest.mark.parametrize("num_faces", [0, 1, 5, 60])
def test_the_faces_kept_are_those_of_torchvision(num_faces: int) -> None:
    rng = np.random.default_rng(num_faces)
    for _ in range(50):
        corners = rng.uniform(0, 300, (num_faces, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(5, 120, (num_faces, 2))], axis=1)
        scores = rng.uniform(0.6, 1, num_faces)
        points = boxes[:, None, :2] + np.zeros((num_faces, 5, 2))

        found = distinct(boxes, points, scores, MAX_OVERLAP)

        wanted = nms(torch.from_numpy(boxes), torch.from_numpy(scores), MAX_OVERLAP).tolist()
        assert [tuple(box) for box, _, _ in found] == [tuple(boxes[index]) for index in wanted]
        assert [score for _, _, score in found] == [scores[index] for index in wanted]
        assert all(np.array_equal(marks[0], box[:2]) for box, marks, _ in found)
