"""PyTorch's full iteration of SinGAN (3 critic and 3 generator steps) at the coarsest scale, plain: prints milliseconds
an iteration (median of 20, and the fastest) as JSON. Arguments: side of the picture in pixels, channels.
"""

import json
import statistics
import sys

import torch
from torch import nn
from torch.nn import functional as F

from turns import milliseconds

SIDE, WIDTH = int(sys.argv[1]), int(sys.argv[2])


def trunk(features: int) -> nn.Sequential:
    layers = []
    for channels in (3, WIDTH, WIDTH, WIDTH):
        layers += [nn.Conv2d(channels, WIDTH, 3), nn.BatchNorm2d(WIDTH), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(WIDTH, features, 3))


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
generator, critic = trunk(3).to(device), trunk(1).to(device)
adams = [torch.optim.Adam(network.parameters(), 5e-4, betas=(0.5, 0.999)) for network in (generator, critic)]
real = torch.rand(1, 3, SIDE, SIDE, device=device) * 2 - 1
before = torch.zeros_like(real)
kept = F.pad(torch.randn(1, 1, SIDE, SIDE, device=device).expand(1, 3, SIDE, SIDE), (5,) * 4)


def generate(noise: torch.Tensor) -> torch.Tensor:
    return torch.tanh(generator(noise)) + before


def iterate() -> None:
    noise = F.pad(torch.randn(1, 1, SIDE, SIDE, device=device).expand(1, 3, SIDE, SIDE), (5,) * 4)
    for _ in range(3):
        adams[1].zero_grad()
        fake = generate(noise).detach()
        share = torch.rand(1, 1, 1, 1, device=device)
        between = (share * real + (1 - share) * fake).requires_grad_()
        slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0]
        penalty = 0.1 * ((slope.norm(2, dim=1) - 1) ** 2).mean()
        (critic(fake).mean() - critic(real).mean() + penalty).backward()
        adams[1].step()
    for _ in range(3):
        adams[0].zero_grad()
        (10 * F.mse_loss(generate(kept), real) - critic(generate(noise)).mean()).backward()
        adams[0].step()
    if device.type == "cuda":
        torch.cuda.synchronize()


times = milliseconds(iterate, 20, 3)
print(json.dumps({"device": device.type, "milliseconds": statistics.median(times), "fastest": min(times)}))
