"""Nine runs that take a blink: for tests that ask what a command leaves behind."""
SWEEP = """
name: tiny
base:
  data: {classes: 2, predictive: 2, noise: 1, train: 64, test: 16}
  model: {encoder: [4, 3], width: 4}
  train: {epochs: 1, batch: 16}
axes: {data.modalities: [2, 3, 4], seed: [0, 1, 2]}
measure: {every: 1, spectra: [head], collisions: {relative: [0.1]}}
"""
