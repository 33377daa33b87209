"""The same main step of StyleGAN2 in PyTorch, as its users write it: prints its milliseconds (median) and the device as JSON.

From the papers, in the form that the authors' PyTorch program trains in: shared kernels with scaled inputs and outputs,
transposed convolutions that grow, the filter [1, 3, 3, 1] as a depthwise convolution. On an accelerator where there is one.
Arguments: resolution, channel base, most channels, latent, pictures in a batch, steps to time.
"""

import json
import statistics
import sys

import torch
from torch import nn
from torch.nn import functional as F

from turns import milliseconds

RESOLUTION, BASE, MOST, LATENT, BATCH, STEPS = map(int, sys.argv[1:])
MAPPING = 4
torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
FILTER = torch.outer(taps, taps) / 64
SIZES = [4 * 2**k for k in range((RESOLUTION // 4).bit_length())]


def width(size: int) -> int:
    return min(BASE // size, MOST)


def smooth(x: torch.Tensor, pad: tuple[int, int], gain: float = 1.0, stride: int = 1) -> torch.Tensor:
    kernel = (FILTER * gain)[None, None].repeat(x.shape[1], 1, 1, 1)
    return F.conv2d(F.pad(x, (*pad, *pad)), kernel, stride=stride, groups=x.shape[1])


def upsample(x: torch.Tensor) -> torch.Tensor:
    spread = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    spread[:, :, ::2, ::2] = x
    return smooth(spread, (2, 1), gain=4)


def lrelu(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, 0.2) * 2**0.5


class Dense(nn.Module):
    def __init__(self, inputs: int, outputs: int, lr: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.scale, self.lr = lr / inputs**0.5, lr

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.lr)


class Styled(nn.Module):
    def __init__(self, size: int, inputs: int, outputs: int, kernel: int = 3, up: bool = False, demodulate: bool = True):
        super().__init__()
        self.affine = Dense(LATENT, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.strength = nn.Parameter(torch.zeros(()))
        self.size, self.up, self.demodulate, self.scale = size, up, demodulate, 1 / (inputs * kernel**2) ** 0.5

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        styles, weight = self.affine(w), self.weight * self.scale
        x = x * styles[:, :, None, None]
        if self.up:
            x = smooth(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), (1, 1), gain=4)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[2] // 2)
        if not self.demodulate:
            return x + self.bias[None, :, None, None]
        power = styles**2 @ weight.square().sum(dim=(2, 3)).T
        x = x * (power + 1e-8).rsqrt()[:, :, None, None]
        x = x + torch.randn(len(x), 1, self.size, self.size) * self.strength
        return lrelu(x + self.bias[None, :, None, None])


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.mapping = nn.ModuleList([Dense(LATENT, LATENT, lr=0.01) for _ in range(MAPPING)])
        self.const = nn.Parameter(torch.randn(1, width(4), 4, 4))
        self.grow = nn.ModuleList([Styled(size, width(size // 2), width(size), up=True) for size in SIZES[1:]])
        self.conv = nn.ModuleList([Styled(size, width(size), width(size)) for size in SIZES])
        self.rgb = nn.ModuleList([Styled(size, width(size), 3, kernel=1, demodulate=False) for size in SIZES])

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        w = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.mapping:
            w = lrelu(layer(w))
        x = self.conv[0](self.const.repeat(len(z), 1, 1, 1), w)
        picture = self.rgb[0](x, w)
        for grow, conv, rgb in zip(self.grow, self.conv[1:], self.rgb[1:]):
            x = conv(grow(x, w), w)
            picture = upsample(picture) + rgb(x, w)
        return picture


class Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, down: bool = False, bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.down, self.scale = down, 1 / (inputs * kernel**2) ** 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, kernel = self.weight * self.scale, self.weight.shape[2]
        if not self.down:
            return F.conv2d(x, weight, self.bias, padding=kernel // 2)
        if kernel == 1:
            return F.conv2d(smooth(x, (1, 1), stride=2), weight, self.bias)
        return F.conv2d(smooth(x, (2, 2)), weight, self.bias, stride=2)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.rgb = Conv(3, width(RESOLUTION), 1)
        sizes = SIZES[:0:-1]
        self.conv = nn.ModuleList([Conv(width(size), width(size), 3) for size in sizes])
        self.down = nn.ModuleList([Conv(width(size), width(size // 2), 3, down=True) for size in sizes])
        self.skip = nn.ModuleList([Conv(width(size), width(size // 2), 1, down=True, bias=False) for size in sizes])
        self.last, self.dense, self.out = Conv(width(4) + 1, width(4), 3), Dense(width(4) * 16, width(4)), Dense(width(4), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = lrelu(self.rgb(x))
        for conv, down, skip in zip(self.conv, self.down, self.skip):
            x = (lrelu(down(lrelu(conv(x)))) + skip(x)) / 2**0.5
        groups = x.reshape(4, -1, *x.shape[1:])
        deviation = (groups.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        x = torch.cat([x, deviation.repeat(4)[:, None, None, None].expand(-1, 1, 4, 4)], dim=1)
        return self.out(lrelu(self.dense(lrelu(self.last(x)).flatten(1))))


generator, discriminator = Generator(), Discriminator()
adam_g, adam_d = (torch.optim.Adam(each.parameters(), 0.0025, (0.0, 0.99)) for each in (generator, discriminator))
real = torch.rand(BATCH, 3, RESOLUTION, RESOLUTION) * 2 - 1


def step() -> None:
    adam_g.zero_grad()
    discriminator.requires_grad_(False)
    F.softplus(-discriminator(generator(torch.randn(BATCH, LATENT)))).mean().backward()
    discriminator.requires_grad_(True)
    adam_g.step()
    adam_d.zero_grad()
    with torch.no_grad():
        fake = generator(torch.randn(BATCH, LATENT))
    F.softplus(discriminator(fake)).mean().backward()
    F.softplus(-discriminator(real)).mean().backward()
    adam_d.step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()


times = milliseconds(step, STEPS, STEPS // 6)
print(json.dumps({"device": torch.get_default_device().type, "milliseconds": statistics.median(times)}))
