"""The conformance suite of connectors: drives a connector's real parts through the contract.

``hub connector check NAME`` runs it as ``python -m hub.testing.conformance``. It needs of the
connector's module (``connectors/X/app.py``):

* ``factory(settings) -> Parts``, what the runner calls too;
* ``check_fixture(folder)``, a context manager that makes a throw-away partner in ``folder`` and
  gives the ``[options]`` to reach it. The partner holds at least one good record with personal
  data in it, and at least one that cannot be mapped; leaving the context takes the partner away.
  Where it works for an agency, that agency is ``H12.15``.

and takes notice of these, where they are there:

* ``check_observe(options, folder) -> Mapping[str, str]``: what the partner holds, for one whose
  data are not files or SQLite databases in ``folder``, or hold a log that grows with every call;
* ``REPEATABLE = True``: the partner itself recognises a repeat, so ``lookup`` may know nothing;
* ``ATTACHMENTS = True``: the sink keeps attachments, as files of the same bytes.

Nothing of the real partner in the settings file is ever touched.
"""

from hub.testing.conformance.run import main

__all__ = ["main"]
