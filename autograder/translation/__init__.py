"""Catalogues of translations: what there is to translate, and what still is not. Needs babel (extra `development`)."""
