"""What ``params.yaml`` says, section by section, each number with its meaning; recipes of networks are their packages' own."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from models.action_units.recipe import Recipe as ReaderRecipe
from models.fer.recipe import Recipe
from models.ganimation.recipe import Recipe as EditorRecipe
from models.san import recipe as san
from models.singan.recipe import Recipe as PyramidRecipe

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Data:
    """What ``ingest`` reads, and how it divides it."""

    source: Literal[
        "synthetic", "synthetic_raw", "folder", "fer2013", "ferplus", "rafdb", "celeba", "lfw", "utkface", "orl",
        "ffhq", "openface", "emoji_folder", "emoji_font",
    ]
    path: str  # file or folder, from the repository's root; for drawn faces, the program that draws them
    size: Annotated[int, Field(ge=16, le=1024)]  # side of an ingested picture in pixels, letterboxed
    channels: Literal[1, 3]  # grey or RGB
    validation: Share  # share carved from the training pictures where the source has no validation split
    test: Share  # share carved from the training pictures where the source has no test split
    count: Count  # pictures to draw; a source with pictures of its own gives all it has

    def __post_init__(self) -> None:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation} and test {self.test} leave nothing to train on")


@dataclass(frozen=True)
class Cleaning:
    """Beyond which measure each rule of ``data.cleaning`` marks a picture; null: that rule is off."""

    no_face: float | None
    several_faces: float | None
    small_face: float | None
    blank: float | None
    blur: float | None
    text: float | None
    side_view: float | None
    covered: float | None
    duplicate: float | None
    wrong_label: float | None


@dataclass(frozen=True)
class Portrait:
    """How the same faces are cut for the generators: in colour, untouched by `faces.features`, as wide as suits them."""

    size: Literal[16, 32, 64, 128, 256]  # side in pixels, which is the generators'
    margin: Share  # kept around the face, as a share of its box: hair and chin belong to a person


@dataclass(frozen=True)
class Faces:
    """How ``faces`` finds and cuts faces out of pictures, which it leaves out, and what it makes of their pixels."""

    detect: bool  # false where every picture is a face already
    size: Annotated[int, Field(ge=16, le=512)]  # side of a cut face in pixels
    channels: Literal[1, 3]
    margin: Share  # kept around the face, as a share of its box
    min_face: Annotated[int, Field(ge=12)]  # pixels; smaller faces are not looked for
    align: bool  # turn the face so that its eyes are level
    features: Literal["none", "equalise", "clahe_5_4", "clahe_5_8", "hog", "lbp_ror", "lbp_var"]  # of data.features
    portrait: Portrait
    cleaning: Cleaning
    curation: str  # file of a person's own verdicts, from the repository's root
    workers: Count | None  # processes side by side; null: one a core. What comes out does not depend on it


@dataclass(frozen=True)
class Evaluate:
    """What ``evaluate`` scores the classifier on."""

    splits: tuple[str, ...] | None  # null: all that are neither train nor validation
    confidence: Annotated[float, Field(gt=0, lt=1)]  # of the intervals


@dataclass(frozen=True)
class Matcher:
    """How `matcher` learns to know people; see `models.face_matcher.train.Recipe`."""

    people: Count | None  # drawn people to learn from, where the source names nobody; null: the faces' own
    dimensions: Count  # of the vector that stands for a face
    epochs: Count
    batch_size: Count
    learning_rate: float
    margin: float
    scale: float
    ema: float


@dataclass(frozen=True)
class ActionUnits:
    """How `action_units` learns to read them, and what it mixes them with."""

    people: Count | None  # drawn people to learn from, where nothing is known of the faces' units; null: the faces' own
    mixture: Share  # of the expression that the classifier reads in an estimate; the reader has the rest
    reader: ReaderRecipe


@dataclass(frozen=True)
class Editor:
    """What GANimation's networks are built from; see `models.ganimation.generator.Architecture`."""

    width: Count
    blocks: Annotated[int, Field(ge=0)]
    outer: Count  # odd
    critic_width: Count
    critic_layers: Count  # faces.size is a multiple of 2 to this power


@dataclass(frozen=True)
class GANimation:
    """How `ganimation` learns to edit faces."""

    architecture: Editor
    recipe: EditorRecipe


@dataclass(frozen=True)
class SinGAN:
    """Of how many faces `singan` learns the patches, and how."""

    parents: Count  # training faces, as many of each expression as of any other
    features: str  # of single-image distances: pixels, or a file of Inception-v3's weights in Keras' layout
    recipe: PyramidRecipe


@dataclass(frozen=True)
class Gates:
    """What a made face has to reach, or is turned away."""

    sifid: float  # at most so far from its parent, by `singan.features`
    identity: float  # cosine with its parent, of the matcher's vectors, at least
    expression: Share  # probability that the classifier `fer@base` gives the wanted expression, at least


@dataclass(frozen=True)
class Mix:
    """Which made faces `fer@augmented` learns from."""

    share: Annotated[float, Field(ge=0, lt=1)]  # of the rows that it learns from; less where fewer passed the gates
    makers: Literal["all", "ganimation", "singan"]


@dataclass(frozen=True)
class Augment:
    """How many faces `augment` makes, and which of them `fer@augmented` learns from."""

    edited: Count  # training faces that GANimation gives each expression; fewer where there are not so many
    variants: Count  # that SinGAN makes of each edited face of `singan`, from each of its two scales
    composite: bool  # take from SinGAN only what GANimation's mask has edited, the rest from the face
    gates: Gates
    mix: Mix


@dataclass(frozen=True)
class San:
    """What a semi-adversarial network hides, and how it and the attribute's classifiers are trained."""

    attribute: Literal["gender", "label"]  # the other one is kept, where the faces tell it
    aligned: bool  # lay the prototypes over the landmarks of each face
    expressions: str  # weights of the classifier that reads expressions before and after, from the repository's root
    judges: tuple[str, ...]  # files of further classifiers of the attribute, by which `evaluate_san` judges too
    matcher: str | None  # file of the matcher by which SAN learns to keep people; null: `matcher@common`
    matchers: tuple[str, ...]  # files of further matchers, ours or VGG-Face's, by which `evaluate_san` judges too
    classifier: san.ClassifierRecipe
    network: san.Recipe


@dataclass(frozen=True)
class Emoji:
    """The emoji that `emoji` draws or reads."""

    source: Literal["drawn", "emoji_folder", "emoji_font"]
    path: str  # folder or font, from the repository's root; for drawn emoji, the program that draws them
    people: Count  # whose emoji are drawn, seven each; a source with pictures of its own gives all it has


@dataclass(frozen=True)
class Architecture:
    """What the generator and its discriminator are built from; see `models.stylegan2.generator`."""

    channel_base: Count  # features of a resolution: base / resolution …
    channel_max: Count  # … and no more than this
    latent: Count  # length of z and of w
    mapping_layers: Count
    labelled: bool  # whether the networks are told the expression; faces and emoji without one are then left out
    label_layers: Annotated[int, Field(ge=0)]  # of the discriminator, from an expression to what it compares faces with
    half: Annotated[int, Field(ge=0)]  # of the highest resolutions, how many compute in half precision


@dataclass(frozen=True)
class Adversarial:
    """What both trainings share; see `models.stylegan2.recipe`."""

    batch_size: Count
    gamma: float  # weight of R1
    mismatch: float  # weight of real pictures shown with another's label
    mixing: Share  # of the batches that mix two styles


@dataclass(frozen=True)
class Training:
    """One training of a generator; see `models.stylegan2.recipe`."""

    kimg: float  # thousands of pictures that the discriminator sees
    learning_rate: float
    falling: Share  # of the training, at its end: the learning rate falls to 0 in it
    ema_kimg: float  # half-life of the averaged generator
    ada_kimg: float  # of adaptive augmentation; 0: none
    freeze: int  # layers of the discriminator that are not trained
    mirror: bool


@dataclass(frozen=True)
class StyleGAN:
    """How `stylegan` trains a generator of faces, and that one further on emoji."""

    features: str  # of Fréchet distances: classifier, or a file of Inception-v3's weights in Keras' layout
    architecture: Architecture
    adversarial: Adversarial
    faces: Training
    emoji: Training


@dataclass(frozen=True)
class Blend:
    """Where the emoji's generator takes over from the faces'; see `models.stylegan2.blend.Swap`."""

    resolution: Literal[4, 8, 16, 32, 64, 128, 256]
    level: Literal[0, 1]
    width: float | None  # of the transition, in layers; null: hard
    inclusive: bool
    mapping: Literal["first", "second"]  # the faces' or the emoji's
    average: Literal["first", "second"]
    noise: Literal["first", "second"]


@dataclass(frozen=True)
class PersonalEmoji:
    """Whose emoji `personal_emoji` makes, and how hard it looks for them."""

    photos: str  # folder with photos of one person, from the repository's root; data/synthetic: a drawn person
    features: str  # what the projection is steered by: matcher, or a file of VGG-16's weights in Keras' layout
    steps: Count  # of the projection
    space: Literal["w", "w+"]
    truncation: Share  # 1: as like as was found; less: nearer to the average, and expressions show more
    wanted: Share  # probability that the classifier shall give an expression


@dataclass(frozen=True)
class Export:
    """What goes into the realtime runner."""

    classifier: Literal["released", "accurate", "trained"]  # small, large, or this run's
    emoji: Literal["personal", "drawn"]
    min_face: Annotated[int, Field(ge=12)]  # pixels
    detect_every: Count  # frames; faces are tracked in between
    smoothing: Annotated[float, Field(ge=0, lt=1)]  # weight of the past in a person's running probabilities


@dataclass(frozen=True)
class Params:
    """The whole of ``params.yaml``."""

    seed: Annotated[int, Field(ge=0)]
    scale: str  # the name of the choice in conf/scale that the sizes below come from
    data: Data
    faces: Faces
    fer: Recipe
    evaluate: Evaluate
    matcher: Matcher
    action_units: ActionUnits
    ganimation: GANimation
    singan: SinGAN
    augment: Augment
    san: San
    emoji: Emoji
    stylegan: StyleGAN
    blend: Blend
    personal_emoji: PersonalEmoji
    export: Export
