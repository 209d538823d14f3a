# %% [markdown]
# # A model of one's own
#
# `risk_compensation.py` is a model with a belief and an effect of its own: builders spend part of the safety
# that a project adds on going on sooner. Its belief lies beside it, in `risk_compensation.toml`. These two
# files are all of it. Run this in the folder that holds them.

# %%
from pathlib import Path

import difprog
from difprog.why.channels import channels

print(Path("risk_compensation.py").read_text())

# %%
print(Path("risk_compensation.toml").read_text())

# %% [markdown]
# Everything takes a model's path where it takes a name.

# %%
PAIR = ("serial_parallel", "./risk_compensation.py")
forecast = difprog.score("agent-foundations", models=PAIR, draws=2_000, use_evidence=False)

# %% [markdown]
# Agent foundations is mostly serial work. Here is what it averts under the base race and under the model, on
# the same worlds:

# %%
net = forecast.summary("net_effect").sel(reading=["serial_parallel", "risk_compensation"])
for reading in net.reading.values:
    mean, error = 1e6 * net.sel(reading=reading, statistic=["mean", "mcse"]).values
    print(f"{reading:18} {mean:+.0f} ± {error:.0f} microdooms")

# %% [markdown]
# The effect is drawn like any other, in years. In half of the worlds AGI comes sooner by more than this,
# because of what the project adds to safety:

# %%
years = forecast.data["posterior"]["pushed_further"].sel(reading="risk_compensation")
print(f"{365.25 * 24 * float(years.median()):.1f} hours")

# %% [markdown]
# It is a channel of its own beside those that ship, and the channels add up to the net effect. On the command
# line: `difprog explain agent-foundations --model serial_parallel --model ./risk_compensation.py`.

# %%
for reading, found in zip(PAIR, channels(forecast.draws), strict=True):
    acting = {name: 1e6 * share.value for name, share in found.items() if share.value}
    print(reading, ", ".join(f"{name} {value:+.0f}" for name, value in acting.items()))

# %% [markdown]
# With its belief at the neutral value the model is the base race, to the bit.

# %%
off = difprog.score(
    "agent-foundations", models=PAIR, priors="./no_compensation.toml", draws=2_000, use_evidence=False
)
same = off.data["posterior"]["net_effect"]
print(bool((same.sel(reading=PAIR[0]) == same.sel(reading="risk_compensation")).all()))
