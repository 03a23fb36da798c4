"""The card of a trained network: what it is, what it learnt from, what was measured, and what was not."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CardFacts:
    """What a card says."""

    name: str  # of the model
    recipe: str
    run: str  # name of the training
    run_id: str  # of MLflow
    commit: str
    data_digest: str
    num_stretches: int  # learnt from
    num_held: int  # measured on
    expert_digest: str = ""
    parent_digest: str = ""
    steps: int = 0
    figures: Mapping[str, float]


def model_card(facts: CardFacts) -> str:
    """The card, in Markdown."""
    made = {
        "recipe": facts.recipe,
        "training": f"{facts.run}, MLflow run {facts.run_id}",
        "code": facts.commit,
        "data": f"sha256 {facts.data_digest}; {facts.num_stretches} stretches, {facts.num_held} more held out",
        "expert": f"sha256 {facts.expert_digest}" if facts.expert_digest else "none",
        "parent": f"sha256 {facts.parent_digest}" if facts.parent_digest else "none",
        "steps": facts.steps,
    }
    rows = [f"| {name} | {value} |" for name, value in made.items()]
    held = [f"| {name} | {value:.4f} |" for name, value in sorted(facts.figures.items()) if name.startswith("held_")]
    return "\n".join(
        [
            f"# {facts.name}",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
            "## On held-out stretches",
            "",
            "| | |",
            "|---|---|",
            *held,
            "",
            "PSNR in dB of one-step estimates in the mask at a noise level, or loss and accuracy of an expert.",
            "No film was painted and nobody has looked: `diff2lip evaluate` and a person say whether it is good.",
            "",
        ]
    )
