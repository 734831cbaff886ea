"""Supervised fine-tuning: epochs of batches, a checkpoint for each, resumable at any step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from time import monotonic
from typing import Any, Literal

import torch

from seedbed.errors import ConfigError
from seedbed.export import drop_to_json, example_to_json
from seedbed.files import write_jsonl
from seedbed.records import JSON, Example, digest
from seedbed.training.checkpoints import save_checkpoint
from seedbed.training.encode import Encoding
from seedbed.training.held_out import set_aside
from seedbed.training.isolation import check_isolation
from seedbed.training.loop import Step, losses_of, train_step
from seedbed.training.opening import open_student
from seedbed.training.outcome import Choice, StepFunction, Trained, TrainProgress, lowest_loss
from seedbed.training.packing import batches, composed_of, epoch_order
from seedbed.training.settings import TrainSettings
from seedbed.training.state import Saver, forget_state, load_state
from seedbed.training.student import Student
from seedbed.training.training_folder import TrainingFolder, append
from seedbed.training.world import joined


def finetune(
    examples: Iterable[Example],
    *,
    base: str | Path,
    folder: str | Path,
    settings: TrainSettings,
    held_out: Iterable[Example] | None = None,
    composed: Sequence[Sequence[str]] = (),
    watch: Callable[[TrainProgress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    step: StepFunction = train_step,
    choose: Choice = lowest_loss,
) -> Trained:
    """Tune a student, or go on where an earlier call with the same arguments stopped.

    Args:
        base: a folder in Hugging Face's layout, or a hub id.
        folder: where everything is written; see `TrainingFolder`.
        held_out: examples to choose the best epoch on, in place of what the settings say.
        composed: batches as ids of examples, in place of random ones: an epoch takes them in a
            random order and leaves each together. What is in none of them is not trained on.
        stop: asked after each step; true saves the state and returns.
        step: what makes a step.
        choose: what picks the best checkpoint.

    Raises:
        ConfigError: the base, the template or the settings do not fit, there is nothing to train
            on, or the folder holds another training.
        TrainingError: the loss is no number any more.
        StorageError: a file cannot be written.
    """
    with joined(settings) as world:
        student = open_student(base, settings=settings, world=world)
        kept, aside = set_aside(list(examples), settings=settings, given=held_out)
        place = TrainingFolder(Path(folder))
        training = _Training(student, place, kept, aside, step, choose, composed)
        return training.run(watch, stop)


class _Training:
    """One session: what it works on, and where it stands."""

    def __init__(
        self,
        student: Student,
        folder: TrainingFolder,
        examples: Sequence[Example],
        held_out: Sequence[Example],
        step: StepFunction,
        choose: Choice,
        composed: Sequence[Sequence[str]],
    ) -> None:
        self.student, self.folder, self.step, self.choose = student, folder, step, choose
        self.settings, self.held_out = student.settings, held_out
        self.encoding, self.aside = student.encode(examples), student.encode(held_out)
        if not self.encoding.kept:
            raise ConfigError(
                f"no example can be trained on: {dict(self.encoding.counts)}",
                hint="Make some with `seedbed run`, or choose a larger max_length.",
            )
        self.composed = composed_of(composed, [one.id for one in self.encoding.kept])
        self.per_epoch = len(self._batches(1))
        student.total = self.per_epoch * self.settings.epochs
        self.data_digest = digest([one.id for one in examples], [one.id for one in held_out])
        self.identity = self._identity()
        self.before = self.seconds = 0.0
        self.tokens = self.trained_tokens = 0
        self.held_out_loss: float | None = None
        self.dice = _rolls_dice(student)

    def run(self, watch: Callable[[TrainProgress], None], stop: Callable[[], bool]) -> Trained:
        found = self.folder.read_manifest()
        if found and found["identity"] != self.identity:
            raise ConfigError(
                f"{self.folder.path}: holds another training (of {found['base']})",
                hint="Other data, base or settings need a folder of their own: --out FOLDER.",
            )
        if found.get("status") == "done":
            return self._ended("done", found)
        self._resume()
        check_isolation(self.student, self.encoding.kept)
        saver = Saver(self.settings)
        self.begun, self.session_tokens = monotonic(), 0
        total = self.student.total or 0
        while self.student.steps < total:
            epoch, place = divmod(self.student.steps, self.per_epoch)
            self._one_step(self._batches(epoch + 1)[place], epoch + 1, watch)
            if place + 1 == self.per_epoch:
                self._end_epoch(epoch + 1)
                saver.save(self.student, self.folder.state, facts=self._facts())
            asked, due = self.student.world.any(stop(), saver.due(self.student.steps))
            if asked and self.student.steps < total:
                saver.save(self.student, self.folder.state, facts=self._facts())
                return self._ended("interrupted", self._write_manifest("interrupted"))
            if due:
                saver.save(self.student, self.folder.state, facts=self._facts())
        manifest = self._write_manifest("done")
        self.student.world.wait()
        if self.student.world.first:
            forget_state(self.folder.state)
        return self._ended("done", manifest)

    def _batches(self, epoch: int) -> list[Sequence[int]]:
        if self.composed:
            order = epoch_order(len(self.composed), seed=self.settings.seed, epoch=epoch)
            return [self.composed[place] for place in order]
        order = epoch_order(len(self.encoding.kept), seed=self.settings.seed, epoch=epoch)
        size, drop_last = self.settings.batch_examples, self.settings.drop_last
        return batches(order, size=size, drop_last=drop_last)

    def _resume(self) -> None:
        """Bring student and logs to the last saved state, or to the beginning."""
        facts = load_state(self.student, self.folder.state) or {}
        self.before = float(facts.get("seconds", 0.0))
        self.seconds = self.before
        self.tokens = int(facts.get("tokens", 0))
        self.trained_tokens = int(facts.get("trained_tokens", 0))
        if not self.student.world.first:
            return
        self.folder.make()
        self.folder.cut_back(self.student.steps)
        if rows := self.folder.read_epochs():
            self.held_out_loss = rows[-1]["held_out_loss"]
        dropped = (*self.encoding.dropped, *self.aside.dropped)
        write_jsonl(self.folder.drops, (drop_to_json(item, drop) for item, drop in dropped))
        write_jsonl(self.folder.held_out, map(example_to_json, self.held_out))
        self._write_manifest("running")

    def _facts(self) -> dict[str, JSON]:
        return {
            "seconds": self.seconds,
            "tokens": self.tokens,
            "trained_tokens": self.trained_tokens,
        }

    def _one_step(
        self, places: Sequence[int], epoch: int, watch: Callable[[TrainProgress], None]
    ) -> None:
        if self.dice:
            seed = digest(self.settings.seed, self.student.steps, self.student.world.rank)
            torch.manual_seed(int(seed[:12], 16))
        done = self.step(self.student, [self.encoding.kept[place] for place in places])
        self.tokens += done.tokens
        self.trained_tokens += done.trained_tokens
        self.session_tokens += done.tokens
        session = monotonic() - self.begun
        self.seconds = self.before + session
        if not self.student.world.first:
            return
        append(self.folder.log, self._line(done, epoch, len(places)))
        steps = self.per_epoch * self.settings.epochs
        watch(
            TrainProgress(
                step=done.step,
                steps=steps,
                epoch=epoch,
                epochs=self.settings.epochs,
                loss=done.loss,
                held_out_loss=self.held_out_loss,
                tokens_per_second=self.session_tokens / session,
                seconds=self.seconds,
                seconds_left=self.seconds / done.step * (steps - done.step),
            )
        )

    def _line(self, done: Step, epoch: int, examples: int) -> dict[str, JSON]:
        return {
            "step": done.step,
            "epoch": epoch,
            "learning_rate": done.learning_rate,
            "loss": done.loss,
            "grad_norm": done.grad_norm,
            "tokens": done.tokens,
            "trained_tokens": done.trained_tokens,
            "examples": examples,
            "seconds": round(self.seconds, 3),
        }

    def _end_epoch(self, epoch: int) -> None:
        """Measure the student on what was set aside, and keep it."""
        self.held_out_loss = self._held_out_loss()
        place = self.folder.checkpoint(epoch)
        save_checkpoint(self.student, place, epoch=epoch, held_out_loss=self.held_out_loss)
        if not self.student.world.first:
            return
        row = {
            "epoch": epoch,
            "step": self.student.steps,
            "held_out_loss": self.held_out_loss,
            "checkpoint": place.name,
        }
        append(self.folder.epochs, row)
        if self.settings.keep == "best":
            best = self.choose(self.folder.read_epochs())["checkpoint"]
            for other in place.parent.iterdir():
                if other.name != best:
                    rmtree(other, ignore_errors=True)

    def _held_out_loss(self) -> float | None:
        """Mean over the trained tokens of all that was set aside."""
        if not (aside := self.aside.kept):
            return None
        losses = losses_of(self.student, aside)
        total = sum(loss * one.trained for loss, one in zip(losses, aside, strict=True))
        return total / sum(one.trained for one in aside)

    def _identity(self) -> str:
        """Names what decides the result; another name may not go on in the same folder."""
        return digest(
            self.student.base,
            self.student.template.digest,
            self.settings.deciding,
            self.data_digest,
            *([self.composed] if self.composed else []),
        )[:16]

    def _write_manifest(self, status: str) -> dict[str, Any]:
        epochs = self.folder.read_epochs()
        manifest = {
            "seedbed": version("seedbed"),
            "status": status,
            "identity": self.identity,
            "base": self.student.base,
            "template": {
                "name": self.student.template.name,
                "digest": self.student.template.digest,
            },
            "settings": self.settings.to_json(),
            "precision": self.student.precision,
            "device": self.student.device.type,
            "processes": self.student.world.size,
            "data": {
                "digest": self.data_digest,
                "train": _counts(self.encoding),
                "held_out": _counts(self.aside),
            },
            "steps": self.student.total,
            "step": self.student.steps,
            "tokens": self.tokens,
            "trained_tokens": self.trained_tokens,
            "seconds": round(self.seconds, 3),
            "best": self.choose(epochs)["checkpoint"] if epochs else None,
            "epochs": epochs,
        }
        if self.student.world.first:
            self.folder.write_manifest(manifest)
        return manifest

    def _ended(self, status: Literal["done", "interrupted"], manifest: dict[str, Any]) -> Trained:
        best = manifest["best"]
        return Trained(
            status=status,
            folder=self.folder.path,
            best=self.folder.path / "checkpoints" / best if best else None,
            manifest=manifest,
        )


def _counts(encoding: Encoding) -> dict[str, int]:
    return dict(encoding.counts)


def _rolls_dice(student: Student) -> bool:
    """Whether a step depends on chance, which only dropout makes it."""
    rates = [value for key, value in student.model.config.to_dict().items() if "drop" in key]
    return bool(student.settings.lora_dropout) or any(
        isinstance(rate, float) and rate > 0 for rate in rates
    )
