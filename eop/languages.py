"""The languages of EOP, told here alone; it leans on nothing, so that settings may read it."""

NAMES = {"fr": "Français", "en": "English", "pl": "Polski", "ru": "Русский"}
"""Code → what the language calls itself, in the order of every menu."""

LANGUAGES = tuple(NAMES)
DEFAULT = "en"  # for a browser that names none of them; the texts in the code are English
LOCALES = {"en": "en_GB"}
"""Code → whose dates and numbers, where the code says too little: 11/12/26 could be two days."""

TRANSLATED = tuple(code for code in LANGUAGES if code != DEFAULT)  # those with a catalogue
