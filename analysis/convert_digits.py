"""Makes a dataset from the 1797 handwritten digits (8x8 pixels) that come with scikit-learn: patches as modalities."""
import sys

import numpy as np

import dataset

# Rows and columns of a patch: halves, quadrants, and finer.
PATCHES = {2: (8, 4), 4: (4, 4), 8: (2, 4), 16: (2, 2)}


def cut(images, patches):
    height, width = PATCHES[patches]
    corners = [(row, column) for row in range(0, 8, height) for column in range(0, 8, width)]
    return {f"patch{i:02d}": images[:, row:row + height, column:column + width].reshape(len(images), -1)
            for i, (row, column) in enumerate(corners)}


def make(chosen):
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise dataset.DatasetError("scikit-learn, which brings the digits, is missing: apt-get install python3-sklearn")
    digits = load_digits()
    dataset.need(digits.images.shape == (1797, 8, 8),
                 f"expected 1797 digits of 8x8 pixels from scikit-learn, found {digits.images.shape}")
    modalities = cut(digits.images / 16, chosen.patches)
    return modalities, digits.target, {
        "name": f"digits in {chosen.patches} patches", "licence": "CC BY 4.0",
        "source": "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository; "
                  "as in scikit-learn",
        "class_names": [str(digit) for digit in range(10)],
        "shapes": {name: np.array(PATCHES[chosen.patches]) for name in modalities}}


def add_arguments(parser):
    parser.add_argument("--patches", type=int, choices=PATCHES, default=4, help="how many patches, each a modality")


if __name__ == "__main__":
    sys.exit(dataset.convert(__doc__, add_arguments, make))
