"""PyTorch's training step of mini-Xception, channels last: prints pictures a second (median of 30 steps) as JSON."""

import json
import statistics

import torch
from torch import nn
from torch.nn import functional as F

from turns import milliseconds

BATCH = 64


def norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def separable(channels: int, features: int) -> nn.Module:
    depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(channels, features, 1, bias=False))


class Module(nn.Module):
    def __init__(self, channels: int, features: int):
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(channels, features, 1, 2, bias=False), norm(features))
        self.main = nn.Sequential(
            separable(channels, features), norm(features), nn.ReLU(), separable(features, features), norm(features)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x) + F.max_pool2d(self.main(x), 3, 2, 1)


stem = [nn.Conv2d(1, 8, 3, bias=False), norm(8), nn.ReLU(), nn.Conv2d(8, 8, 3, bias=False), norm(8), nn.ReLU()]
modules = [Module(8, 16), Module(16, 32), Module(32, 64), Module(64, 128)]
head = [nn.Conv2d(128, 7, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
network = nn.Sequential(*stem, *modules, *head).to(memory_format=torch.channels_last)
adam = torch.optim.Adam(network.parameters(), 1e-3)
images = torch.randn(BATCH, 1, 48, 48).to(memory_format=torch.channels_last)
labels = torch.randint(0, 7, (BATCH,))



def step() -> None:
    adam.zero_grad()
    F.cross_entropy(network(images), labels).backward()
    adam.step()


print(json.dumps({"pictures_per_second": 1e3 * BATCH / statistics.median(milliseconds(step, 30, 5))}))
