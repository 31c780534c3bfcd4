// The models that have a text here; made by tools/model_figures.py.

export const NAMES = ["age-accurate", "attributes-112", "multitask-64-int8", "multitask-64"];
