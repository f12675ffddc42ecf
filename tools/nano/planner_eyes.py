# SPDX-License-Identifier: MIT
"""The planner's picture encoder knows what things look like: a Swin of one stage begins with its weights.

What a Swin has not are places' positions (its biases by distance take over) and, in every other layer, places that look
beyond half a window. So it has to learn to see alike once more, which takes some hundred steps.
"""
import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import CLIPVisionConfig, CLIPVisionModel, SwinConfig

HELD = "vision_tower."


class Eyes:
    """What the planner's projector is given: the outputs of all layers but the last."""

    def __init__(self, planner):
        with open(os.path.join(planner, "config.json")) as f:
            config = json.load(f)["vision_config"]
        with open(os.path.join(planner, "preprocessor_config.json")) as f:
            pixels = json.load(f)
        del config["model_type"]
        self.mean, self.deviation = (torch.tensor(pixels[k])[:, None, None] for k in ("image_mean", "image_std"))
        config["num_hidden_layers"] -= 1
        self.config = CLIPVisionConfig(**config)
        self.model = CLIPVisionModel(self.config).eval()
        weights = load_file(os.path.join(planner, "model.safetensors"))
        self.model.load_state_dict({k[len(HELD):]: w.float() for k, w in weights.items() if k.startswith(HELD)}, strict=False)

    @torch.no_grad()
    def see(self, pixels):
        """[B,3,S,S], 0..1 -> [B,places,C], each place's with mean 0 and deviation 1."""
        seen = self.model((pixels - self.mean) / self.deviation).last_hidden_state[:, 1:]
        return F.layer_norm(seen, (self.config.hidden_size,))

    def swin_config(self, layers):
        c = self.config
        return SwinConfig(image_size=c.image_size, patch_size=c.patch_size, embed_dim=c.hidden_size, depths=[layers],
                          num_heads=[c.num_attention_heads], window_size=c.image_size // c.patch_size,
                          mlp_ratio=c.intermediate_size / c.hidden_size, drop_path_rate=0.0, out_features=["stage1"])

    @torch.no_grad()
    def hand_over(self, swin, mean, deviation):
        """To a SwinBackbone of `swin_config`, whose pixels have another mean and deviation (3 of each)."""
        mean, deviation = (torch.tensor(x)[:, None, None] for x in (mean, deviation))
        own = self.model.vision_model
        patch, weight = swin.embeddings.patch_embeddings.projection, own.embeddings.patch_embedding.weight
        patch.weight.copy_(weight * deviation / self.deviation)
        patch.bias.copy_((weight * (mean - self.mean) / self.deviation).sum((1, 2, 3))
                         + own.embeddings.position_embedding.weight[1:].mean(0))
        swin.embeddings.norm.load_state_dict(own.pre_layrnorm.state_dict())
        for to, layer in zip(swin.encoder.layers[0].blocks, own.encoder.layers):
            attention = layer.self_attn
            to.attention.self.relative_position_bias_table.zero_()
            for a, b in ((to.layernorm_before, layer.layer_norm1), (to.layernorm_after, layer.layer_norm2),
                         (to.attention.self.query, attention.q_proj), (to.attention.self.key, attention.k_proj),
                         (to.attention.self.value, attention.v_proj), (to.attention.output.dense, attention.out_proj),
                         (to.intermediate.dense, layer.mlp.fc1), (to.output.dense, layer.mlp.fc2)):
                a.load_state_dict(b.state_dict())
