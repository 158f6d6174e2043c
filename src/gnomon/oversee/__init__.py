"""What people see, judge and feed back. (No desk yet.)"""
