"""A model of the config that is started here: a checkpoint, a GGUF file or vLLM, on Ray or not."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from seedbed import ray_cluster
from seedbed.config_tables import ModelTable
from seedbed.models import gguf, local_files, vllm
from seedbed.models.gguf import GgufModel, GgufSettings
from seedbed.models.local import LocalModel, LocalSettings
from seedbed.models.on_ray import Held, Make, RayModel
from seedbed.models.vllm import VllmModel
from seedbed.models.vllm_settings import VllmSettings


def check_in_process(table: ModelTable, *, home: Path, installed: bool) -> None:
    """Whether its files are there and, if asked for, what runs it.

    Raises:
        ConfigError: they are not.
    """
    if table.kind == "gguf":
        if installed:
            gguf.check_installed()
            gguf.find_gguf(table.model, home=home)
    else:
        local_files.local_folder(table.checkpoint or "", home=home)
    if table.kind == "vllm":
        _vllm_settings(table)
    if not installed:
        return
    if table.local.actors is not None:
        ray_cluster.check_installed()
    elif table.kind == "vllm":  # on a cluster the machines of the actors have it
        vllm.check_installed()
    if table.kind == "hf":
        local_files.check_installed()


def in_process(table: ModelTable, *, home: Path) -> AbstractAsyncContextManager[Held]:
    """The model, to be entered."""
    make = _make(table, home=home)
    if table.local.actors is None:
        return make()
    return RayModel(
        make,
        name=name_in_process(table, home=home),
        actors=table.local.actors,
        gpus=0.0 if table.local.device == "cpu" else table.local.gpus,
    )


def _make(table: ModelTable, *, home: Path) -> Make:
    """What makes the model; paths are made whole, since actors run in other folders."""
    if table.kind == "gguf":
        path = str(gguf.find_gguf(table.model, home=home).resolve())
        return partial(GgufModel, path, settings=_gguf_settings(table))
    source = table.checkpoint or ""
    folder = local_files.local_folder(source, home=home)
    source = source if folder is None else str(folder.resolve())
    if table.kind == "vllm":
        return partial(VllmModel, source, settings=_vllm_settings(table))
    return partial(LocalModel, source, settings=_local_settings(table))


def name_in_process(table: ModelTable, *, home: Path) -> str:
    """What the journal calls it."""
    if table.kind == "gguf":
        return gguf.name_of(gguf.find_gguf(table.model, home=home))
    found = local_files.find_checkpoint(table.checkpoint or "", home=home)
    return vllm.name_of(found, table.local.options) if table.kind == "vllm" else found.name


def queue_of(table: ModelTable) -> int | None:
    """How many requests it writes at once and holds in its queue beside; None where it takes all
    that come."""
    if table.kind == "hf":
        return None
    server = _gguf_settings(table) if table.kind == "gguf" else _vllm_settings(table)
    rows = server.parallel if isinstance(server, GgufSettings) else server.rows
    return 2 * rows * (table.local.actors or 1)


def _local_settings(table: ModelTable) -> LocalSettings:
    local, usual = table.local, LocalSettings()
    return LocalSettings(
        device=local.device,
        dtype=local.dtype,
        rows=local.rows or usual.rows,
        cache_gib=local.cache_gib,
    )


def _gguf_settings(table: ModelTable) -> GgufSettings:
    local, usual = table.local, GgufSettings()
    return GgufSettings(
        parallel=local.rows or usual.parallel,
        context=local.context or usual.context,
        gpu=local.device != "cpu",
        timeout=table.timeout,
    )


def _vllm_settings(table: ModelTable) -> VllmSettings:
    local, usual = table.local, VllmSettings()
    return VllmSettings(
        rows=local.rows or usual.rows,
        context=local.context,
        dtype=local.dtype,
        gpus=local.gpus or usual.gpus,
        cache_gib=local.cache_gib,
        options=tuple(local.options),
        timeout=table.timeout,
    )
