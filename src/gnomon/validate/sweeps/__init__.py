"""The dose sweeps that instruments are certified on: one module per evaluation.

The doses spread the true values of all estimands of a sweep widely, and independently of one another as far as that goes; they
are chosen by the ledger alone. None lies where an interval holds the truth by construction.
"""
