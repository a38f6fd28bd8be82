"""What another bid would bring: clicks and cost as functions of the bid."""
