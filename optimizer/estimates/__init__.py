"""What a click is worth, and how sure we are: rates, values, completion of late conversions.

Pure functions of arrays. Start at `value_per_click.estimate_value_per_click`; the credibility
routine that everything rests on is `rates.fit_rates`.
"""
