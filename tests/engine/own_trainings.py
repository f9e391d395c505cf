"""Mistakes in trainings that were written differently from the bank's: as `VARIANTS` of `own_weights.py` are."""

from __future__ import annotations

TRAININGS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "ae_vs_pca": (
        ("weights_never_updated", "numpy_eigh", "            optimiser.step()\n", ""),
        ("gradients_accumulate", "numpy_eigh", "            optimiser.zero_grad(set_to_none=True)\n", ""),
        ("gradients_accumulate", "sklearn_style", "            opt.zero_grad()\n", ""),
        ("last_batch_dropped", "sklearn_style", "drop_last=False", "drop_last=True"),
        (
            "first_batch_only",
            "numpy_eigh",
            "batch_losses.append(loss.item())",
            "batch_losses.append(loss.item())\n            break",
        ),
        (
            "history_of_last_batch",
            "sklearn_style",
            "float(np.average(torch.stack(losses).cpu().numpy(), weights=weights))",
            "float(losses[-1])",
        ),
        ("history_summed", "numpy_eigh", "np.mean(batch_losses)", "np.sum(batch_losses)"),
        ("learning_rate_ignored", "sklearn_style", "lr=lr, betas", "lr=1e-3, betas"),
        ("generator_ignored", "numpy_eigh", "shuffle=True, generator=generator", "shuffle=True"),
        ("seed_inside", "numpy_eigh", "    model.train()\n", "    torch.manual_seed(0)\n"),
    ),
    "bridge_style": (
        (
            "plan_ignored",
            "loops",
            "torch.multinomial(plan.reshape(-1),",
            "torch.multinomial(torch.ones_like(plan).reshape(-1),",
        ),
        (
            "sigma_ignored_in_training",
            "loops",
            "+ sigma * (t - t * t).sqrt() * z\n        loss",
            "+ (t - t * t).sqrt() * z\n        loss",
        ),
        ("half_of_the_times", "loops", "t = torch.rand(", "t = 0.5 * torch.rand("),
        (
            "one_time_per_batch",
            "loops",
            "torch.rand(batch_size, 1, generator=generator, dtype=x.dtype).to(x)",
            "torch.rand(1, 1, generator=generator, dtype=x.dtype).to(x).expand(batch_size, 1)",
        ),
        (
            "uniform_noise",
            "terse",
            "torch.randn(x[i].shape, generator=generator)",
            "(12**0.5 * torch.rand(x[i].shape, generator=generator) - 3**0.5)",
        ),
        ("weights_never_updated", "loops", "        optimiser.step()\n", ""),
        ("learning_rate_ignored", "loops", "(model.parameters(), lr=lr)", "(model.parameters(), lr=1e-3)"),
        ("history_sums_up", "loops", "losses.append(loss.item())", "losses.append(loss.item() + (losses or [0])[-1])"),
    ),
    "gan_collapse": (
        ("n_discriminator_ignored", "functional", "for _ in range(n_discriminator):", "for _ in range(1):"),
        ("betas_ignored", "functional", "(m.parameters(), lr=lr, betas=betas)", "(m.parameters(), lr=lr)"),
        ("lr_ignored", "functional", "(m.parameters(), lr=lr, betas=betas)", "(m.parameters(), lr=1e-3, betas=betas)"),
        (
            "smoothing_not_passed",
            "functional",
            "optimizers[1], real, z, smoothing, loss, clip",
            "optimizers[1], real, z, 0.0, loss, clip",
        ),
        (
            "clip_not_passed",
            "functional",
            "optimizers[1], real, z, smoothing, loss, clip",
            "optimizers[1], real, z, smoothing, loss",
        ),
        ("loss_not_passed", "functional", "optimizers[0], z, loss)", "optimizers[0], z)"),
        (
            "first_rows_only",
            "functional",
            "torch.randperm(len(data), generator=generator_rng)[:batch_size]",
            "torch.randperm(batch_size, generator=generator_rng)",
        ),
        (
            "same_noise_for_both",
            "functional",
            "        z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, "
            "dtype=dtype).to(data.device)\n"
            "        history",
            "        history",
        ),
    ),
    "latent_diffusion": (
        ("text_encoder_not_trained", "loops", "for network in (model, text_encoder)]", "for network in (model,)]"),
        (
            "never_dropped",
            "loops",
            "(torch.rand(batch_size, generator=generator) < drop_probability)",
            "(torch.rand(batch_size, generator=generator) < 0)",
        ),
        (
            "drop_probability_inverted",
            "loops",
            "(torch.rand(batch_size, generator=generator) < drop_probability)",
            "(torch.rand(batch_size, generator=generator) > drop_probability)",
        ),
        (
            "one_drop_per_batch",
            "loops",
            "(torch.rand(batch_size, generator=generator) <",
            "(torch.rand(1, generator=generator).expand(batch_size) <",
        ),
        ("prompts_not_matched", "loops", "prompts[i] for i, gone", "prompts[i - 1] for i, gone"),
        (
            "one_time_per_batch",
            "loops",
            "(batch_size,), generator=generator).to(z.device)",
            "(1,), generator=generator).to(z.device).expand(batch_size)",
        ),
        ("times_from_one", "loops", "t = torch.randint(0,", "t = torch.randint(1,"),
        (
            "times_without_last",
            "loops",
            "t = torch.randint(0, len(alpha_bars),",
            "t = torch.randint(0, len(alpha_bars) - 1,",
        ),
        (
            "noise_uniform",
            "loops",
            "noise = torch.randn(batch_size, z.shape[1], generator=generator, dtype=z.dtype).to(z)\n"
            "        lost",
            "noise = (12**0.5 * torch.rand(batch_size, z.shape[1], generator=generator, dtype=z.dtype) - "
            "3**0.5).to(z)\n"
            "        lost",
        ),
        (
            "noise_shared",
            "loops",
            "noise = torch.randn(batch_size, z.shape[1], generator=generator, dtype=z.dtype).to(z)\n"
            "        lost",
            "noise = torch.randn(1, z.shape[1], generator=generator, "
            "dtype=z.dtype).to(z).expand(batch_size, -1)\n"
            "        lost",
        ),
        (
            "first_rows_only",
            "loops",
            "rows, order = order[:batch_size], order[batch_size:]",
            "rows = list(range(batch_size))",
        ),
        ("weights_never_updated", "loops", "            optimiser.step()\n", "            pass\n"),
        (
            "weights_never_updated",
            "with_classes",
            "        optimiser.step()\n        losses[step]",
            "        losses[step]",
        ),
        (
            "learning_rate_ignored",
            "with_classes",
            "for p in network.parameters()], lr=lr)",
            "for p in network.parameters()], lr=1e-3)",
        ),
        (
            "history_sums_up",
            "loops",
            '        losses.append(float(loss.detach()))\n    return {"loss": losses}',
            '        losses.append(float(loss.detach()) + (losses or [0])[-1])\n    return {"loss": losses}',
        ),
    ),
    "molecule_diffusion": (
        (
            "one_time_per_batch",
            "loops",
            "(batch_size,), generator=generator).to(x.device)",
            "(1,), generator=generator).to(x.device).expand(batch_size)",
        ),
        (
            "last_time_never_trained",
            "loops",
            "torch.randint(0, len(alpha_bars), (batch",
            "torch.randint(0, len(alpha_bars) - 1, (batch",
        ),
        (
            "first_time_never_trained",
            "loops",
            "torch.randint(0, len(alpha_bars), (batch",
            "torch.randint(1, len(alpha_bars), (batch",
        ),
        (
            "weights_never_updated",
            "matrices",
            "        optimiser.step()\n",
            "        optimiser.param_groups[0]['params'][0].grad\n",
        ),
        ("weights_never_updated", "loops", "        optimiser.step()\n", ""),
        ("learning_rate_ignored", "loops", 'group["lr"] = lr *', 'group["lr"] = 5e-3 *'),
        ("gradients_accumulate", "loops", "        optimiser.zero_grad()\n", ""),
    ),
    "transformer_text": (
        (
            "same_batch_every_step",
            "terse",
            "torch.randperm(len(tokens), generator=generator)[:batch_size]",
            "torch.arange(batch_size)",
        ),
        ("gradients_not_zeroed", "terse", "        opt.zero_grad()\n", ""),
        ("weights_never_updated", "terse", "        opt.step()\n", ""),
        ("weights_never_updated", "einsum_buffers", "        adam.step()\n", ""),
        ("learning_rate_ignored", "terse", "model.parameters(), lr)", "model.parameters(), 3e-3)"),
    ),
    "wgan_gp": (
        ("n_critic_ignored", "loops", "for _ in range(n_critic):", "for _ in range(1):"),
        (
            "gradients_not_cleared",
            "loops",
            "            for p in critic.parameters():\n                p.grad = None\n",
            "",
        ),
        (
            "generator_gradients_not_cleared",
            "loops",
            "        for p in generator.parameters():\n            p.grad = None\n",
            "",
        ),
        ("gp_weight_ignored", "loops", "loss + gp_weight *", "loss + 10.0 *"),
        (
            "betas_ignored",
            "loops",
            "opt_c = torch.optim.Adam(critic.parameters(), lr, betas)\n"
            "    opt_g = torch.optim.Adam(generator.parameters(), lr, betas)",
            "opt_c = torch.optim.Adam(critic.parameters(), lr)\n"
            "    opt_g = torch.optim.Adam(generator.parameters(), lr)",
        ),
        (
            "one_optimiser",
            "loops",
            "        for p in generator.parameters():\n"
            "            p.grad = None\n"
            "        z = torch.randn(batch_size, k, generator=generator_rng, dtype=data.dtype, "
            "device=data.device)\n"
            "        loss_g = -critic(generator(z)).mean()\n"
            "        loss_g.backward()\n"
            "        opt_g.step()",
            "        for p in [*generator.parameters(), *critic.parameters()]:\n"
            "            p.grad = None\n"
            "        z = torch.randn(batch_size, k, generator=generator_rng, dtype=data.dtype, "
            "device=data.device)\n"
            "        loss_g = -critic(generator(z)).mean()\n"
            "        loss_g.backward()\n"
            "        opt_g.step()\n"
            "        opt_c.step()",
        ),
        ("eps_normal", "loops", "eps = torch.rand(batch_size,", "eps = torch.randn(batch_size,"),
        (
            "eps_per_coordinate",
            "loops",
            "eps = torch.rand(batch_size, 1,",
            "eps = torch.rand(batch_size, data.shape[1],",
        ),
        ("eps_per_batch", "loops", "eps = torch.rand(batch_size, 1,", "eps = torch.rand(1, 1,"),
        ("fakes_not_detached", "one_layer", "generator(z).detach()", "generator(z)"),
    ),
}
