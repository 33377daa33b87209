"""tf_keras' training step of mini-Xception: prints pictures a second (median of 30 steps) as JSON."""

import json
import statistics

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from turns import milliseconds

BATCH = 64


def module(x, features: int):
    shortcut = layers.BatchNormalization()(layers.Conv2D(features, 1, 2, "same", use_bias=False)(x))
    y = layers.BatchNormalization()(layers.SeparableConv2D(features, 3, padding="same", use_bias=False)(x))
    y = layers.SeparableConv2D(features, 3, padding="same", use_bias=False)(layers.Activation("relu")(y))
    y = layers.MaxPooling2D(3, 2, "same")(layers.BatchNormalization()(y))
    return layers.add([y, shortcut])


inputs = x = layers.Input((48, 48, 1))
for _ in range(2):
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(8, 3, use_bias=False)(x)))
for features in (16, 32, 64, 128):
    x = module(x, features)
outputs = layers.GlobalAveragePooling2D()(layers.Conv2D(7, 3, padding="same")(x))
network = tf_keras.Model(inputs, outputs)
adam = tf_keras.optimizers.legacy.Adam(1e-3)
loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def step(images, labels):
    with tf.GradientTape() as tape:
        value = loss(labels, network(images, training=True))
    adam.apply_gradients(zip(tape.gradient(value, network.trainable_variables), network.trainable_variables))
    return value


rng = np.random.default_rng(0)
images = tf.constant(rng.normal(size=(BATCH, 48, 48, 1)).astype(np.float32))
labels = tf.constant(rng.integers(0, 7, BATCH))
times = milliseconds(lambda: step(images, labels).numpy(), 30, 5)
print(json.dumps({"pictures_per_second": 1e3 * BATCH / statistics.median(times)}))
