# %% [markdown]
# # From a table to a budget
#
# [`stack.csv`](stack.csv) holds six made-up proposals, a row each: facts, costs, and a column of our own
# (`contact`) that is carried through. The two sizes of one team share a `group`, so at most one of them is
# chosen. On the command line all of this is `difprog allocate stack.csv --budget 1.5M`. Run this in the
# folder that holds the table.

# %%
from difprog.choose.candidates import candidates
from difprog.choose.decision import decide
from difprog.choose.portfolio import read_portfolio
from difprog.forecast.request import Request

request = Request(draws=1_000, use_evidence=False)
portfolio = read_portfolio(["stack.csv"])
stack = candidates(portfolio, request)

# %% [markdown]
# Every row, by what a million dollars of it averts:

# %%
for one in sorted(stack.rows, key=lambda row: -row.net.mean / row.cost):
    print(f"{one.name:26} {1e6 * one.net.mean / (one.cost / 1e6):+6.1f} microdooms per million dollars")

# %% [markdown]
# What to fund with 1.5 million dollars: the best set there is, and what it comes to when all of it is done.

# %%
decision = decide(stack, budget=1.5e6)
for place in decision.choice.rows:
    chosen = stack.rows[place]
    print(f"fund  {chosen.name:26} ${chosen.cost:>9,.0f}  ask {chosen.row.extra['contact']}")
if decision.together is not None:
    whole = decision.together.summary
    print(f"together {1e6 * whole.mean:+.0f} ± {1e6 * whole.mcse:.0f} microdooms averted")

# %% [markdown]
# What would change that: other budgets, and how much each further dollar buys.

# %%
for step in decision.frontier:
    print(f"${step.budget:>9,.0f}  {1e6 * step.expected:+6.1f}  {len(step.rows)} of {len(stack.rows)} rows")
