"""The runner: one protocol over many items, bounded, journalled, resumable.

A protocol is a coroutine from one item and its seed to an `Outcome`; the model is already bound to it, so that this layer never
sees one. Each outcome becomes a three-valued record in the run directory's journal; run the same again and only what is missing
is done.

    from functools import partial

    configuration = {"evaluation": "sycophancy", **config.model_dump(mode="json"), "model": model.fingerprint}
    with RunDirectory.create_or_resume(default_path("audit", model.reference, configuration), configuration, verb="audit") as run:
        records = await execute(
            partial(evaluation.protocol, model),        # async (item, seed) -> Outcome
            evaluation.items,
            evaluation=evaluation.name,
            config_hash=content_hash(config.model_dump(mode="json")),
            fingerprint=model.fingerprint,
            run=run,                                    # None: in memory only
            limits=Limits(concurrency=256),
            repeats=config.repeats,
            seed=config.seed,
            progress=RichProgress(),                    # or None
        )
        table = run.write_table(evaluation.name, records)   # polars, in the order of items and repeats
        estimates = evaluation.analyse(table)
        run.write_estimates(estimates)
"""
