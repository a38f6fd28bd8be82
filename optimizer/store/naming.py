"""Names as they are compared: without width, case and surplus blanks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def normalise(text: pd.Series[Any]) -> pd.Series[Any]:
    """NFKC, casefold, runs of white space as one blank; null stays null."""
    codes, distinct = pd.factorize(text)
    plain = pd.Series(distinct, dtype="str").str.normalize("NFKC").str.casefold()
    tidy = plain.str.split().str.join(" ").astype("object").to_numpy()
    values = np.append(tidy, np.array([None], dtype="object"))[codes]
    return pd.Series(values, index=text.index, dtype="object")
