"""The operations centre's web page: a live feed, explained alerts, follow-up; decisions leave as events. See docs/console.md."""
