"""Words, numbers, money and dates in Chinese and English.

Text is looked up by its English form (`Translator.text`); codes from below are looked up by context
and code (`Translator.code`) in both languages. `.po` files are read at start, nothing is compiled.
"""

from optimizer.interfaces.locale.translator import LANGUAGES, Translator, pick_language

__all__ = ["LANGUAGES", "Translator", "pick_language"]
